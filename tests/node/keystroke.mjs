// What collaboration adds to a keystroke and to a remote change, above plain ProseMirror on the same
// text in the same run: mean script milliseconds, on a cross-origin-isolated page.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';

const files = {
  '/editor.mjs': ['text/javascript', readFileSync(new URL('../../target/editor.mjs', import.meta.url))],
  '/client.wasm': ['application/wasm', readFileSync(new URL('../../web/src/wasm/accord_client_bg.wasm', import.meta.url))],
  '/': ['text/html', '<!doctype html><style>.ProseMirror{white-space:pre-wrap}</style><body></body>'],
};
const server = createServer((request, response) => {
  const [type, body] = files[request.url] ?? ['text/plain', ''];
  response.writeHead(200, {
    'content-type': type,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  });
  response.end(body);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const browser = await chromium.launch({ executablePath: process.env.ACCORD_CHROMIUM ?? '/usr/bin/chromium', args });
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/`);

const measure = async ({ words, block, dispatches }) => {
  const ours = await import('/editor.mjs');
  globalThis.ready ??= ours.initSync({ module: await (await fetch('/client.wasm')).arrayBuffer() });
  if (!crossOriginIsolated) throw new Error('not isolated: timers are too coarse');
  const FIELD = 'problem';
  const lines = [];
  for (let n = 0; n < words; n += block) lines.push(Array.from({ length: Math.min(block, words - n) }, (_, i) => `word${(n + i) % 97}`).join(' '));
  const delta = [{ insert: `${lines.join('\n')}` }];

  let told = '';
  const make = (client) => {
    const host = document.createElement('div');
    document.body.append(host);
    const view = new ours.EditorView(host, {
      state: ours.EditorState.create({ doc: ours.documentOf([{ insert: `${delta[0].insert}\n` }]) }),
      dispatchTransaction(tr) {
        view.updateState(view.state.apply(tr));
        if (!client || !tr.docChanged || tr.getMeta('remote')) return;
        for (const change of ours.deltasOf(tr)) {
          client.edit(performance.now(), FIELD, JSON.stringify(change));
          // All that the page's driver does after each edit.
          client.takeFrames();
          client.takeChanges();
          client.takePeers();
          const status = client.status();
          if (status !== told) JSON.parse((told = status));
        }
      },
    });
    return view;
  };
  const client = new ours.AccordClient(7, undefined);
  const other = new ours.AccordClient(8, undefined);
  client.edit(0, FIELD, JSON.stringify([{ insert: `${delta[0].insert}\n` }]));
  other.load(client.state());
  client.takeUpdates();
  other.takeUpdates();
  const follower = new ours.Follower({ read: () => JSON.parse(client.read(FIELD)), isEnded: () => client.isEnded(FIELD) });
  const views = { plain: make(), accord: make(client) };
  const middle = ours.toPlace(views.plain.state.doc, Math.floor(delta[0].insert.length / 2)).position;
  const sums = { plain: 0, accord: 0, plainRemote: 0, accordRemote: 0 };
  const time = (name, work) => {
    const start = performance.now();
    work();
    sums[name] += performance.now() - start;
  };
  let typed = 0;
  for (let batch = 0; batch < dispatches / 50; batch += 1) {
    for (const name of batch % 2 ? ['plain', 'accord'] : ['accord', 'plain']) {
      const view = views[name];
      for (let n = 0; n < 50; n += 1) {
        const at = middle + typed + n;
        time(name, () => view.dispatch(view.state.tr.insertText('a', at)));
      }
    }
    typed += 50;
    for (const update of client.takeUpdates()) other.load(update);
    await new Promise((resolve) => setTimeout(resolve));
  }
  other.takeUpdates();
  other.takeChanges();
  const length = () => ours.flatLength(views.accord.state.doc) - 1;
  let seed = 1;
  for (let n = 0; n < dispatches; n += 1) {
    seed = (seed * 48271) % 2147483647;
    const at = seed % length();
    other.edit(0, FIELD, JSON.stringify([{ retain: at }, { insert: 'b' }]));
    const [update] = other.takeUpdates();
    other.takeChanges();
    // A frame as the server sends it: message 0 2, then the update's length and bytes.
    const frame = new Uint8Array([0, 2, ...(update.length < 128 ? [update.length] : [(update.length & 127) | 128, update.length >> 7]), ...update]);
    time('accordRemote', () => {
      client.frame(frame);
      const changes = JSON.parse(client.takeChanges());
      const view = views.accord;
      const tr = view.state.tr;
      follower.follow(tr, changes[0].delta);
      view.dispatch(tr.setMeta('remote', true));
      client.takePeers();
      const status = client.status();
      if (status !== told) JSON.parse((told = status));
    });
    const position = ours.toPlace(views.plain.state.doc, at).position;
    time('plainRemote', () => views.plain.dispatch(views.plain.state.tr.insertText('b', position)));
    if (n % 50 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  const same = views.accord.state.doc.textContent === views.plain.state.doc.textContent;
  for (const view of Object.values(views)) {
    const host = view.dom.parentElement;
    view.destroy();
    host.remove();
  }
  return { same, ...Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / dispatches])) };
};

console.log('| words × words a block | keystroke: plain | with Accord | adds | remote change: plain | with Accord | adds |');
console.log('| --- | --- | --- | --- | --- | --- | --- |');
for (const words of [5_000, 50_000]) {
  for (const block of [80, 15]) {
    const r = await page.evaluate(measure, { words, block, dispatches: 2_000 });
    if (!r.same) throw new Error('the two editors differ');
    const ms = (n) => n.toFixed(3);
    console.log(`| ${words} × ${block} | ${ms(r.plain)} | ${ms(r.accord)} | ${ms(r.accord - r.plain)} | ${ms(r.plainRemote)} | ${ms(r.accordRemote)} | ${ms(r.accordRemote - r.plainRemote)} |`);
  }
}
await browser.close();
server.close();
