// Measures the time from a key to the frame that shows it, in milliseconds: for one person alone, and for
// three people who type in one commitment at the same time, each as fast as a practised typist. The same
// is measured in plain ProseMirror on the same text. There, three pages compete for the machine, but share
// nothing.
// The time runs from the key event's own timestamp to the first task after the next animation frame.
import { sleep, story } from '../../node/browser.mjs';
import { connect, ticketFor } from '../../node/stock.mjs';
import { textOf } from './text.mjs';
import { servePage } from './serve.mjs';

const KEYS = 150;
const EVERY_MS = 120;
const FIELD = 'problem';

/** Records in `times` how long each key takes to appear, in milliseconds. */
function watch() {
  globalThis.times = [];
  if (globalThis.watched) return;
  globalThis.watched = true;
  const { port1, port2 } = new MessageChannel();
  const waiting = [];
  port1.onmessage = () => globalThis.times.push(performance.now() - waiting.shift());
  addEventListener('keydown', (event) => requestAnimationFrame(() => {
    waiting.push(event.timeStamp);
    port2.postMessage(0);
  }), true);
}

async function type(page) {
  await page.evaluate(watch);
  for (let key = 0; key < KEYS; key += 1) {
    const due = sleep(EVERY_MS * (0.75 + Math.random() / 2));
    await page.keyboard.press('abcdefgh '[key % 9]);
    await due;
  }
  await sleep(500);
  const times = (await page.evaluate(() => globalThis.times)).sort((a, b) => a - b);
  if (times.length !== KEYS) throw new Error(`${times.length} of ${KEYS} keys were seen`);
  return times;
}

function row(words, who, times) {
  const at = (share) => times[Math.floor((times.length - 1) * share)].toFixed(1);
  console.log(`| ${words} | ${who} | ${at(0.5)} | ${at(0.95)} | ${at(1)} |`);
}

function plainPage(browser, base, text) {
  return browser.newPage().then(async (page) => {
    await page.goto(base);
    await page.evaluate(async (text) => (await import('/editors.mjs')).open(text), text);
    return page;
  });
}

await story(async ({ browser, server, person }) => {
  const { base, close } = await servePage();
  const people = [];
  for (const name of ['ana', 'ben', 'fay']) people.push(await person(name));
  const { doc, provider } = await connect(server.address, await ticketFor(server.address, 'ben', 'demo'), 'demo');
  console.log('| words × 80 a block | writer | p50 ms | p95 ms | longest ms |');
  console.log('| --- | --- | --- | --- | --- |');
  for (const words of [5_000, 50_000]) {
    const text = textOf(words, 80);
    const plain = [];
    for (const _ of people) plain.push(await plainPage(browser, base, text));
    row(words, 'plain ProseMirror, alone', await type(plain[0]));
    const each = await Promise.all(plain.map(type));
    each.forEach((times, index) => row(words, `plain ProseMirror, page ${index + 1} of 3`, times));
    for (const page of plain) await page.close();

    const shared = doc.getText(FIELD);
    shared.delete(0, shared.length);
    shared.insert(0, text);
    const lines = text.split('\n').length - 1;
    for (const [index, one] of people.entries()) {
      await one.field(FIELD).locator(`:scope > :nth-child(${lines})`).waitFor({ timeout: 60_000 });
      await one.caret(FIELD, 20 + index, 10);
    }
    row(words, 'Accord, alone', await type(people[0].page));
    const together = await Promise.all(people.map(({ page }) => type(page)));
    together.forEach((times, index) => row(words, `Accord, writer ${index + 1} of 3`, times));
    for (const one of people) await one.saved();
  }
  provider.destroy();
  close();
});
