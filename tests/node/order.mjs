// Compares `document/src/readable/order.rs` with a real browser. The test data, order.json, has lines of text. For each
// line, it says which numbers appear in another order than they are written, and whether the line is read from right to
// left. The browser must place the numbers in that order, and both `dir="auto"` and `unicode-bidi: plaintext` must give
// the line that direction.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { launch } from './browser.mjs';

const lines = JSON.parse(readFileSync(new URL('../data/readable/order.json', import.meta.url), 'utf8'));
const browser = await launch();
const page = await browser.newPage();
await page.setContent('<p dir="auto" style="font: 16px monospace; white-space: pre"></p>');

for (const { line, turned, right_to_left } of lines) {
  const found = await page.evaluate((line) => {
    const paragraph = document.querySelector('p');
    paragraph.textContent = line;
    const leftOf = (at) => {
      const range = document.createRange();
      range.setStart(paragraph.firstChild, at);
      range.setEnd(paragraph.firstChild, at + 1);
      return range.getBoundingClientRect().left;
    };
    const isRtl = getComputedStyle(paragraph).direction === 'rtl';
    const turned = [];
    let before;
    for (const [part] of [...line.matchAll(/\p{Nd}+|[\p{Lu}\p{Ll}\p{Lt}\p{Lo}]|[^]/gu)].map((match) => [match])) {
      if (/^\p{L}/u.test(part[0])) before = undefined;
      if (!/^\p{Nd}/u.test(part[0])) continue;
      const left = leftOf(part.index);
      const isSigned = /(^|[^\p{L}\p{N}])[\p{Pd}\p{Sm}]$/u.test(line.slice(0, part.index));
      const ahead = (one, other) => (isRtl ? one > other : one < other);
      if ((before !== undefined && ahead(left, before)) || (isSigned && !isRtl && left < leftOf(part.index - 1))) turned.push(part[0]);
      before = left;
    }
    return { turned, isRtl };
  }, line);
  assert.equal(found.isRtl, right_to_left, line);
  // In a right-to-left line the rules report no number. The browser's order is not compared there: a date is read from left
  // to right as one number, but this script would take its parts for turned numbers.
  if (!right_to_left) assert.deepEqual(found.turned, turned, line);
  else assert.deepEqual(turned, [], line);
}

// The style sheets use `unicode-bidi: plaintext`, which must find the same direction as `dir="auto"`.
await page.setContent('<div style="width: 300px"><p style="unicode-bidi: plaintext; font: 16px monospace; margin: 0"></p></div>');
for (const { line, right_to_left } of lines) {
  const isRight = await page.evaluate((line) => {
    const paragraph = document.querySelector('p');
    paragraph.textContent = line;
    const range = document.createRange();
    range.selectNodeContents(paragraph);
    return range.getBoundingClientRect().left - paragraph.getBoundingClientRect().left > 2;
  }, line);
  assert.equal(isRight, right_to_left, `${line}, by style`);
}
await browser.close();
