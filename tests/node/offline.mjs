// Checks that no edit is lost or misattributed in three cases: a connection is lost and the page is reloaded offline; the
// server is killed and started again; a second person signs in on the same laptop.
import assert from 'node:assert/strict';
import { agree, sleep, story, until } from './browser.mjs';

await story(async ({ person, server }) => {
  const ana = await person('ana');
  const ben = await person('ben');
  const has = (who, words) => until(`${who.name} has ${words}`, async () => (await who.text('causes')).includes(words) || who.text('causes'));
  // Wait until the service worker keeps the application on the device: without it, an offline reload would fail.
  await until('the app is kept', () => ana.page.evaluate(() => navigator.serviceWorker.ready.then((ready) => ready.active?.state === 'activated')));

  // A file, opened in another tab, is not what the device shows offline in its place.
  const other = await ana.context.newPage();
  await other.goto(`${server.base}/keys.txt`);
  await other.close();

  await ana.context.setOffline(true);
  await until('Ana is offline', async () => (await ana.status()).startsWith('Offline') || ana.status());
  await ana.caret('causes', 0, 0);
  await ana.type('Ana offline. ');
  assert.equal(await ana.status(), 'Offline: kept on this device');
  await ben.caret('causes', 0, -1);
  await ben.type(' Ben online.');
  await sleep(400);
  await ana.page.reload();
  await has(ana, 'Ana offline. ');
  assert.ok((await ana.status()).startsWith('Offline'), await ana.status());
  await ana.caret('causes', 0, 0);
  await ana.type('Again. ');
  await ana.context.setOffline(false);
  await has(ana, ' Ben online.');
  await has(ben, 'Again. Ana offline. ');
  await ana.saved();
  await agree('causes', ana, ben);

  // The server is killed while both are connected. Both keep typing, and the server starts again.
  await server.stop();
  await until('both notice', async () => [await ana.status(), await ben.status()].every((s) => s.startsWith('Offline')));
  await ana.caret('causes', 0, 0);
  await ana.type('While down, Ana. ');
  await ben.caret('causes', 0, -1);
  await ben.type(' While down, Ben.');
  await server.start();
  await ana.saved();
  await ben.saved();
  const text = await agree('causes', ana, ben);
  for (const words of ['While down, Ana. ', ' While down, Ben.', 'Again. Ana offline. ', ' Ben online.']) {
    assert.equal(text.split(words).length, 2, `${words} once in ${text}`);
  }

  // Fay signs in on Ana's laptop. Ana's unsaved words are not sent until Ana signs in there again.
  await ana.context.setOffline(true);
  await until('offline', async () => (await ana.status()).startsWith('Offline'));
  await ana.caret('brief', 0, 0);
  await ana.type('ONLY ANA ');
  await sleep(400);
  // Ana closes the page before the network returns. (A page that only navigates away can stay alive for a moment, and
  // would then rightly send its edits.)
  await ana.page.close();
  await ana.context.setOffline(false);
  await ana.context.clearCookies();
  const page = await ana.context.newPage();
  await page.goto(server.base);
  await page.click('[data-demo=fay]');
  await page.waitForSelector('h3 a');
  await page.goto(`${server.base}/documents/demo`);
  await page.waitForSelector('[data-target=brief]');
  await sleep(1_000);
  assert.ok(!(await page.innerText('[data-target=brief]')).includes('ONLY ANA'), 'Fay does not get Ana’s words');
  assert.ok(!(await ben.text('brief')).includes('ONLY ANA'), 'nobody sends them in her name');
  await page.goto(server.base);
  await page.goto(`${server.base}/plans/demo`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.click('[data-demo=ana]');
  await page.waitForSelector('h3 a');
  await page.goto(`${server.base}/documents/demo`);
  await until('Ben gets Ana’s words when she is back', async () => (await ben.text('brief')).includes('ONLY ANA '));
  assert.deepEqual([...ana.errors, ...ben.errors], []);
});
