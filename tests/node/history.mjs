// Two people disagree about a text. Somebody else reads on the history page, also by keyboard, who wrote and deleted what.
// Then a version is named and an earlier text is restored.
import assert from 'node:assert/strict';
import { agree, sleep, story, until } from './browser.mjs';
import { lookAtAll } from './look.mjs';

await story(async ({ person, server }) => {
  const ana = await person('ana');
  const ben = await person('ben');
  // Ana and Ben disagree about the causes: Ben replaces some of Ana's words.
  await ana.caret('causes', 0, 0);
  await ana.type('The law is silent on budgets. Nobody is obliged to publish them at all.');
  await ana.press('Enter');
  await agree('causes', ana, ben);
  await ben.caret('causes', 0, 'The law is '.length);
  for (let n = 0; n < 'silent on budgets'.length; n += 1) await ben.press('Shift+ArrowRight');
  await ben.type('clear, and it is ignored');
  await ben.caret('causes', 0, 'The law is clear, and it is ignored.'.length);
  await ben.press('Enter');
  await agree('causes', ana, ben);
  await ana.saved();
  await ben.saved();

  // The editor marks who wrote which words, while the option is switched on.
  await ben.page.getByLabel('Who wrote it').check();
  const written = ben.field('causes').locator('.written');
  await until('Ben’s words are his', async () => {
    const told = await written.evaluateAll((all) => all.map((mark) => [mark.textContent, mark.title.split(' wrote')[0]]));
    const has = (words, name) => told.some(([text, by]) => text.includes(words) && by === name);
    return (has('clear, and it is ignored', 'Ben Okafor') && has('Nobody is obliged', 'Ana Ferreira')) || told;
  });
  await ben.field('causes').scrollIntoViewIfNeeded();
  await lookAtAll(ben.page, 'authorship');
  await ben.page.getByLabel('Who wrote it').uncheck();
  await until('nothing is marked', async () => (await ben.page.locator('.written').count()) === 0);

  // Ada, who did not take part, reads the history.
  const ada = await person('ada');
  const { page } = ada;
  await page.getByRole('link', { name: 'History' }).click();
  await page.getByRole('heading', { name: /^History of/ }).waitFor();
  await page.getByText('Ben Okafor', { exact: true }).first().waitFor();
  // The text marks insertions and deletions, each with its author.
  const causes = page.locator('[data-target=causes]');
  await lookAtAll(page, 'history-text');
  await causes.scrollIntoViewIfNeeded();
  await lookAtAll(page, 'history-marks');
  assert.match(await causes.locator('ins').filter({ hasText: 'ignored' }).getAttribute('title'), /^Ben Okafor wrote this/);
  // Ada reads the changes as a list, and moves through it with the keyboard.
  await page.getByRole('button', { name: 'As a list' }).focus();
  await ada.press('Enter');
  const changes = page.locator('ol .change');
  await changes.first().waitFor();
  const sentences = await changes.allInnerTexts();
  const told = sentences.map((sentence) => sentence.replace(/\s+/g, ' ').trim());
  assert.ok(
    told.some((line) => line.startsWith("Ana Ferreira, government, inserted “The law is”")),
    told.join('\n'),
  );
  await lookAtAll(page, 'history-list');
  await changes.first().focus();
  await ada.press('ArrowDown');
  assert.equal(await page.evaluate(() => document.activeElement.className.includes('change')), true);
  await ada.press('Enter');
  await page.locator('[data-target]:focus').waitFor();
  // The filter shows the changes of civil society only.
  await page.getByRole('button', { name: 'As a list' }).click();
  await page.getByLabel('Side', { exact: true }).selectOption('civil_society');
  await until('only Ben is left', async () => {
    const names = await page.locator('ol .change strong').allInnerTexts();
    return (names.length > 0 && names.every((name) => name === 'Ben Okafor')) || names;
  });
  await page.getByLabel('Side', { exact: true }).selectOption('');
  await page.getByRole('button', { name: 'Who wrote it' }).click();
  await page.getByRole('heading', { name: 'The current text' }).waitFor();
  await lookAtAll(page, 'history-share');
  await page.getByLabel('By').selectOption('person');
  await page.getByRole('combobox', { name: 'Section' }).selectOption({ label: 'The problem' });
  await page.getByRole('columnheader', { name: 'Ben Okafor' }).scrollIntoViewIfNeeded();
  await lookAtAll(page, 'history-share-person');
  await page.getByRole('combobox', { name: 'Section' }).selectOption({ label: 'Contact' });
  await page.getByText('Nothing was written in this part.').waitFor();
  // The co-creation record opens as a page of its own, which has no scripts.
  const [record] = await Promise.all([page.waitForEvent('popup'), page.getByRole('link', { name: 'Co-creation record (web page)' }).click()]);
  await record.getByRole('heading', { name: 'Who took part' }).waitFor();
  await record.getByRole('row', { name: /Ben Okafor, civil society Author/ }).waitFor();
  await lookAtAll(record, 'history-record');
  await record.close();
  // Ada is an adviser, so she can't name the moment.
  assert.equal(await page.getByRole('button', { name: 'Name this moment' }).count(), 0);

  // Ana names the current moment, and restores the field `causes` to its text before Ben's edit. Ben's editor shows the
  // change.
  await ana.page.goto(`${server.base}/documents/demo/history`);
  await ana.page.getByRole('button', { name: 'Name this moment' }).click();
  await ana.page.getByLabel('Name', { exact: true }).fill('With Ben’s wording');
  await ana.page.getByRole('button', { name: 'Name version' }).click();
  await ana.page.getByText('The version now has a name.').waitFor();
  const slider = ana.page.getByLabel('Moment');
  await slider.focus();
  for (let n = 0; n < 30; n += 1) await ana.press('ArrowLeft');
  await until('an earlier moment is shown', async () => (await ana.page.getByRole('button', { name: 'Go back to this moment' }).count()) === 1);
  await sleep(300);
  await lookAtAll(ana.page, 'history-scrub');
  await ana.page.getByRole('button', { name: 'Go back to this moment' }).click();
  await ana.page.getByLabel('What to restore').selectOption('causes');
  await lookAtAll(ana.page, 'history-restore');
  const before = await ben.text('causes');
  await ana.page.getByRole('button', { name: 'Go back', exact: true }).click();
  await ana.page.getByText('Done. The text from before is kept').waitFor();
  await until('Ben sees it', async () => (await ben.text('causes')) !== before);
  await ana.page.getByText('With Ben’s wording').first().waitFor();
  await lookAtAll(ana.page, 'history-restored');
  // Ana restores the version that she named, so that Ben's wording returns.
  await ana.page.getByLabel('with').selectOption({ label: 'With Ben’s wording' });
  await ana.page.getByRole('button', { name: 'Go back to this moment' }).click();
  await ana.page.getByRole('button', { name: 'Go back', exact: true }).click();
  await until('what was there is there', async () => (await ben.text('causes')) === before || ben.text('causes'));
  assert.deepEqual([...ana.errors, ...ben.errors, ...ada.errors], []);
});
