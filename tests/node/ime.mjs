// Checks that the composition of an input method continues while others write in the same line. The test composes
// Korean through the browser's debugging protocol.
import assert from 'node:assert/strict';
import { agree, sleep, story } from './browser.mjs';

await story(async ({ person }) => {
  const ana = await person('ana');
  const ben = await person('ben');
  const cdp = await ana.context.newCDPSession(ana.page);
  const compose = (text) =>
    cdp.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
  const before = await ana.text('causes');

  await ana.caret('causes', 0, 5);
  await ben.caret('causes', 0, 0);
  await compose('ㅎ');
  await sleep(50);
  await ben.type('Before: ');
  await compose('하');
  await sleep(100);
  await ben.caret('causes', 0, -1);
  await ben.type(' After.');
  await compose('한');
  await sleep(100);
  // Another field receives changes during the composition.
  await ben.caret('brief', 0, 0);
  await ben.type('Meanwhile. ');
  await sleep(300);
  assert.ok((await ana.text('brief')).startsWith('Meanwhile. '), 'other texts go on');
  await cdp.send('Input.insertText', { text: '한' });
  await sleep(200);
  await compose('ㄱ');
  await compose('글');
  await cdp.send('Input.insertText', { text: '글' });
  const after = await agree('causes', ana, ben);
  assert.equal(after, `Before: ${before.slice(0, 5)}한글${before.slice(5)} After.`);
  await ana.type('!');
  assert.equal(await agree('causes', ana, ben), `Before: ${before.slice(0, 5)}한글!${before.slice(5)} After.`);
  assert.deepEqual([...ana.errors, ...ben.errors], []);
});
