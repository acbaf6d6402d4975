// Undo takes back one's own, and never a colleague's words.
import assert from 'node:assert/strict';
import { agree, sleep, story, until } from './browser.mjs';

await story(async ({ person }) => {
  const ana = await person('ana');
  const ben = await person('ben');

  // Ben types inside a paragraph that Ana just made; Ana undoes making it.
  await ana.caret('causes', 0, -1);
  await sleep(600);
  await ana.press('Enter');
  await ana.type('Ana’s new paragraph');
  await until('Ben has it', async () => (await ben.lines('causes')).length === 2);
  await ben.caret('causes', 1, 3);
  await ben.type(' BEN WAS HERE ');
  await agree('causes', ana, ben);
  await ana.caret('causes', 1, -1);
  for (let n = 0; n < 4; n += 1) {
    await ana.press('Control+z');
    await sleep(80);
  }
  const undone = await agree('causes', ana, ben);
  assert.ok(undone.includes(' BEN WAS HERE '), undone);
  assert.ok(!undone.includes('new paragraph'), undone);

  // Redo brings Ana's own back, beside Ben's.
  for (let n = 0; n < 4; n += 1) {
    await ana.press('Control+Shift+z');
    await sleep(80);
  }
  const redone = await agree('causes', ana, ben);
  assert.ok(redone.includes(' BEN WAS HERE ') && redone.includes('new paragraph'), redone);

  // Ben writes in a milestone that Ana just added; Ana undoes adding it.
  await ana.page.getByRole('button', { name: 'Add a milestone' }).click();
  await until('Ben sees it', async () => (await ben.page.locator('[data-milestone]').count()) === 3);
  const target = await ben.page.locator('[data-milestone]').nth(2).locator('[data-target$="/outputs"]').getAttribute('data-target');
  await ben.caret(target, 0, 0);
  await ben.type('Ben’s output');
  await until('Ana has it', async () => (await ana.text(target)) === 'Ben’s output');
  for (let n = 0; n < 3; n += 1) {
    await ana.press('Control+z');
    await sleep(80);
  }
  await sleep(300);
  assert.equal(await ana.text(target), 'Ben’s output');
  assert.equal(await ben.text(target), 'Ben’s output');

  // Deleting a milestone in which somebody else goes on typing keeps what they type.
  await Promise.all([
    ana.page.getByRole('button', { name: 'Delete milestone 3' }).click(),
    ben.type(' and more', 15),
  ]);
  await until('Ben’s later words stay', async () => {
    const seen = [await ana.text(target).catch(() => null), await ben.text(target).catch(() => null)];
    return (seen[0] !== null && seen[0] === seen[1] && seen[0].length > 0) || seen;
  });
  assert.deepEqual([...ana.errors, ...ben.errors], []);
});
