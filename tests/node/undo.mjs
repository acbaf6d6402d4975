// Checks that undo removes a person's own edits, and never a colleague's words.
import assert from 'node:assert/strict';
import { agree, sleep, story, until } from './browser.mjs';

/** Undoes or redoes until the button is disabled. Several steps can be needed, because a pause in typing begins a new step. */
async function all(person, keys, button) {
  const done = person.page.getByRole('button', { name: button, exact: true });
  await until(`${person.name} pressed ${keys} often enough`, async () => {
    await person.press(keys);
    return done.isDisabled();
  });
}

await story(async ({ person, server }) => {
  const ana = await person('ana');
  const ben = await person('ben');

  // Ben types inside Ana's new paragraph, and Ana undoes creating it.
  await ana.caret('causes', 0, -1);
  await sleep(600);
  await ana.press('Enter');
  await ana.type('Ana’s new paragraph');
  await until('Ben has it', async () => (await ben.lines('causes')).length === 2);
  await ben.caret('causes', 1, 3);
  await ben.type(' BEN WAS HERE ');
  await agree('causes', ana, ben);
  await ana.caret('causes', 1, -1);
  await all(ana, 'Control+z', 'Undo');
  const undone = await agree('causes', ana, ben);
  assert.ok(undone.includes(' BEN WAS HERE '), undone);
  assert.ok(!undone.includes('new paragraph'), undone);

  // Redo restores Ana's text beside Ben's.
  await all(ana, 'Control+Shift+z', 'Redo');
  const redone = await agree('causes', ana, ben);
  assert.ok(redone.includes(' BEN WAS HERE ') && redone.includes('new paragraph'), redone);

  // Ben writes in Ana's new milestone, and Ana undoes adding it.
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

  // A deleted milestone keeps the text that somebody else types in it at the same time. The server is paused until both
  // have made their edit, so that neither page has received the other's.
  const remove = ana.page.getByRole('button', { name: 'Delete milestone 3' });
  const milestones = ana.page.locator('[data-milestone]');
  const bothHave = (words) =>
    until(`both have “${words}”`, async () => {
      const seen = await Promise.all([ana.text(target), ben.text(target)]);
      return seen.every((text) => text === words) || seen;
    });
  server.child.kill('SIGSTOP');
  await remove.click();
  await ben.type(' and more');
  assert.equal(await milestones.count(), 2);
  assert.equal(await ben.text(target), 'Ben’s output and more');
  server.child.kill('SIGCONT');
  await bothHave(' and more');

  // The milestone is deleted with all of Ben's text. It stays open on Ben's page because his caret is in it, and it
  // reappears for both with the next words that he types.
  await remove.click();
  await until('Ben is told', async () => (await ben.page.getByText('Somebody deleted this milestone').count()) === 1);
  assert.equal(await milestones.count(), 2);
  await ben.type('Ben goes on');
  await bothHave('Ben goes on');

  // The deleted milestone disappears from Ben's page when his caret leaves it.
  await remove.click();
  await until('Ben is told again', async () => (await ben.page.getByText('Somebody deleted this milestone').count()) === 1);
  await ben.caret('causes');
  await until('it is gone', async () => (await ben.page.locator('[data-milestone]').count()) === 2);
  assert.deepEqual([...ana.errors, ...ben.errors], []);
});
