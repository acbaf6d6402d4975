// Checks that the history page scrolls to a change that somebody chooses in the list of a long comparison.
import assert from 'node:assert/strict';
import { sleep, story } from './browser.mjs';

await story(async ({ person, server }) => {
  const ana = await person('ana');
  await ana.caret('problem', -1, -1);
  for (let n = 0; n < 30; n += 1) await ana.type(`\nParagraph number ${n} says something that is long enough to be read.`);
  await ana.saved();
  const then = await ana.page.evaluate(async () => {
    const history = await fetch('/api/v1/documents/demo/history');
    return (await history.json()).head.seq;
  });
  await ana.caret('problem', 2, 0);
  await ana.type('At the top: ');
  await ana.caret('problem', -2, 0);
  await ana.type('At the end: ');
  await ana.saved();
  const { page } = ana;
  await page.goto(`${server.base}/documents/demo/history?from=${then}`);
  for (const words of ['At the end: ', 'At the top: ']) {
    await page.getByRole('button', { name: 'As a list' }).click();
    await page.locator('ol .change').filter({ hasText: words.trim() }).click();
    await page.locator('[data-target=problem]:focus').waitFor();
    // While the page scrolls, the words can be on the screen for a moment. So read their place after it has stopped.
    await sleep(1_500);
    const place = await page.locator('[data-target=problem] ins').evaluateAll((marks, words) => {
      const mark = marks.find(({ textContent }) => textContent === words);
      const { top, bottom } = mark.getBoundingClientRect();
      return { isShown: top > 0 && bottom < innerHeight, top, bottom };
    }, words);
    assert.ok(place.isShown, `“${words}” is at ${JSON.stringify(place)}`);
  }
});
