// Checks that a commitment opens without a network after an update of the app, although the person has opened only the
// list of plans since. Also checks that the device keeps the app it has until the new one is complete.
import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { story, until } from './browser.mjs';

/** The place before the name of an asset, with its hash. */
const ASSET = /(assets\/|[`"']\.\/)(?=[\w-]+-[\w-]{8}\.\w+)/g;

/**
 * Starts a proxy before the server that gives each asset of the app the name that it has in `version`. So another
 * version is an update of the app: all its assets have other names, and the old names do not exist any more.
 */
async function proxyBefore(server) {
  const proxy = { version: 'one', isBroken: false, asked: [] };
  const listener = createServer((incoming, outgoing) => {
    proxy.asked.push(incoming.url);
    const isAsset = incoming.url.startsWith('/assets/');
    const path = incoming.url.replace(`/assets/${proxy.version}-`, '/assets/');
    const isGone = isAsset && (path === incoming.url || (proxy.isBroken && /DocumentPage/.test(path)));
    if (isGone) return outgoing.writeHead(404).end();
    const headers = { ...incoming.headers, 'accept-encoding': 'identity' };
    const passed = request({ port: server.port, method: incoming.method, path, headers }, async (answer) => {
      let body = Buffer.concat(await answer.toArray());
      if (/html|javascript|css|json/.test(answer.headers['content-type']) && !path.startsWith('/api/')) {
        body = Buffer.from(body.toString().replaceAll(ASSET, `$1${proxy.version}-`));
      }
      outgoing.writeHead(answer.statusCode, { ...answer.headers, 'content-length': body.length });
      outgoing.end(body);
    });
    incoming.pipe(passed);
  });
  listener.on('upgrade', (incoming, socket) => {
    const passed = connect(server.port, '127.0.0.1', () => {
      const lines = incoming.rawHeaders.map((text, index) => (index % 2 ? `${text}\r\n` : `${text}: `));
      passed.write(`${incoming.method} ${incoming.url} HTTP/1.1\r\n${lines.join('')}\r\n`);
      socket.pipe(passed).pipe(socket);
    });
    for (const end of [socket, passed]) end.on('error', () => passed.destroy() && socket.destroy());
  });
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  proxy.base = `http://127.0.0.1:${listener.address().port}`;
  return proxy;
}

/** Returns the paths of all assets that the device keeps, and the assets that the kept page names. */
const kept = (page) =>
  page.evaluate(async () => {
    const cache = await caches.open('accord-1');
    const html = await (await cache.match('/'))?.text();
    const files = (await cache.keys()).map(({ url }) => new URL(url).pathname).filter((path) => path.startsWith('/assets/'));
    return { files, named: [...(html ?? '').matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path]) => path) };
  });

await story(async ({ newcomer, server }) => {
  const proxy = await proxyBefore(server);
  const ana = await newcomer('ana');
  const { page } = ana;
  const isComplete = (version) => async () => {
    const { named, files } = await kept(page);
    const isFrom = (file) => file.startsWith(`/assets/${version}-`);
    const has = (name) => files.some((file) => file.includes(`-${name}-`) || file.includes(`-${name}_`));
    return (named.some(isFrom) && files.every(isFrom) && ['DocumentPage', 'missingWords', 'accord_client'].every(has)) || files;
  };
  const opensOffline = async () => {
    await ana.context.setOffline(true);
    await page.goto(`${proxy.base}/documents/demo`);
    await until('the text is there', async () => (await ana.text('causes')).startsWith('Typed with the first version.'));
    assert.ok((await ana.status()).startsWith('Offline'), await ana.status());
    await ana.context.setOffline(false);
  };

  await page.goto(proxy.base);
  await page.click('[data-demo=ana]');
  await page.waitForSelector('h3 a');
  await until('the app is kept, before any commitment was opened', isComplete('one'));
  await page.goto(`${proxy.base}/documents/demo`);
  await page.waitForSelector('[data-target=causes]');
  await ana.saved();
  await ana.caret('causes', 0, 0);
  await ana.type('Typed with the first version. ');
  await ana.saved();

  // A browser that saves data fetches nothing only to keep it.
  const asked = (name) => proxy.asked.some((path) => path.startsWith(`/assets/two-${name}`));
  const saveData = (isSaving) =>
    ana.context.serviceWorkers()[0].evaluate((saveData) => {
      Object.defineProperty(navigator, 'connection', { configurable: true, value: { saveData } });
    }, isSaving);
  await saveData(true);
  proxy.version = 'two';
  await page.goto(proxy.base);
  await until('the list of files is read', async () => asked('offline-files'));
  await ana.pause(1_000);
  assert.ok(!asked('DocumentPage'), 'nothing is fetched only to be kept');
  await saveData(false);

  // The network fails while the device fetches the new version. The version that the device has still opens.
  proxy.isBroken = true;
  await page.goto(proxy.base);
  await page.waitForSelector('h3 a');
  await until('new files arrive', async () => (await kept(page)).files.some((file) => file.includes('/two-')));
  await opensOffline();

  proxy.isBroken = false;
  await page.goto(proxy.base);
  await page.waitForSelector('h3 a');
  await until('the new app is kept, and the old one is gone', isComplete('two'));
  await opensOffline();

  // A page of the old version stays open, while a page of the new version is open for a moment only. The files of the old
  // page stay, because the server does not have them any more.
  await page.goto(proxy.base);
  await page.waitForSelector('h3 a');
  proxy.version = 'three';
  const other = await ana.context.newPage();
  await other.goto(proxy.base);
  await other.waitForSelector('h3 a');
  await other.close();
  await until('the new app is complete', async () => (await kept(page)).named.some((file) => file.includes('/three-')));
  await ana.pause(1_000);
  const isKept = async (name) => (await kept(page)).files.some((file) => file.startsWith(`/assets/${name}`));
  assert.ok(await isKept('two-DocumentPage'), 'the open page can still load its files');

  // A browser that saves data keeps the version that it has, however many follow. It removes those that no page uses.
  await saveData(true);
  for (const [version, unused] of [['four', 'two'], ['five', 'four'], ['six', 'five']]) {
    proxy.version = version;
    await page.goto(proxy.base);
    await page.waitForSelector('h3 a');
    assert.ok(await isKept(`${version}-index`), 'the page keeps what it loads');
    await until(`no page uses version ${unused}`, async () => !(await isKept(`${unused}-`)));
    assert.ok(await isKept('three-DocumentPage'));
  }
  await opensOffline();
  assert.deepEqual(ana.errors, []);
});
