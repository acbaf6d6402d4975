// The facilitator redacts a secret that was pasted. The secret disappears from every page and from the storage of each
// device. Everybody sees the redaction, who made it, and the reason.
import assert from 'node:assert/strict';
import { agree, story, until } from './browser.mjs';
import { lookAtAll } from './look.mjs';

/** Returns whether the updates that a browser keeps in IndexedDB contain `words`. */
const keeps = ({ page }, words) =>
  page.evaluate(async (words) => {
    const db = await new Promise((resolve) => {
      const request = indexedDB.open('accord');
      request.onsuccess = () => resolve(request.result);
    });
    const all = await new Promise((resolve) => {
      const request = db.transaction('updates').objectStore('updates').getAll();
      request.onsuccess = () => resolve(request.result);
    });
    db.close();
    return all.some(({ update }) => new TextDecoder().decode(update).includes(words));
  }, words);

await story(async ({ person }) => {
  const ana = await person('ana');
  const ben = await person('ben');
  const fay = await person('fay');
  await ana.caret('results', 0, 0);
  await ana.page.keyboard.insertText('The key is hunter2 and the rest stays.');
  await agree('results', ana, ben, fay);
  await ana.saved();
  await until('it is kept on Ben’s device', () => keeps(ben, 'hunter2'));

  // An author has no button to redact. The facilitator selects the words and gives a reason.
  await ana.field('results').click();
  assert.equal(await ana.page.getByRole('button', { name: 'Redact the selected text' }).count(), 0);
  await fay.caret('results', 0, 'The key is '.length);
  for (let n = 0; n < 'hunter2'.length; n += 1) await fay.press('Shift+ArrowRight');
  const tool = fay.field('results').locator('xpath=ancestor::div[contains(@class,"field")]').getByRole('button', { name: 'Redact the selected text' });
  await tool.click();
  const dialog = fay.page.getByRole('dialog', { name: 'Redact this text' });
  assert.equal(await dialog.locator('blockquote').innerText(), 'hunter2');
  await lookAtAll(fay.page, 'redact');
  await dialog.getByLabel('Reason').fill('A password was pasted by mistake');
  await dialog.getByRole('button', { name: 'Redact permanently' }).click();
  await dialog.waitFor({ state: 'detached' });

  assert.equal(await agree('results', ana, ben, fay), 'The key is  and the rest stays.');
  for (const one of [ana, ben, fay]) {
    await one.page.getByText('Fay Duarte, just now: A password was pasted by mistake').waitFor();
    await until(`${one.name} keeps nothing of it`, async () => !(await keeps(one, 'hunter2')));
  }
  await ben.page.getByText('Redactions').scrollIntoViewIfNeeded();
  await lookAtAll(ben.page, 'redacted');
  // Undo does not restore the secret, and people can go on writing.
  await ana.field('results').focus();
  await ana.press('Control+z');
  await ben.caret('results', 0, -1);
  await ben.type(' And more.');
  assert.ok(!(await agree('results', ana, ben, fay)).includes('hunter2'));
  await ana.page.reload();
  await ana.page.waitForSelector('[data-target=results]');
  await ana.saved();
  assert.ok(!(await agree('results', ana, ben, fay)).includes('hunter2'));

  // A second secret is deleted right after it was typed, with the newline before it, so only the history contains it. The
  // facilitator selects and redacts it on the history page.
  await ana.caret('causes', -1, -1);
  await ana.press('Enter');
  await ana.page.keyboard.insertText('First.');
  await ana.press('Enter');
  await ana.page.keyboard.insertText('The code is swordfish, keep it.');
  await ana.saved();
  for (let n = 0; n < 'The code is swordfish, keep it.'.length + 1; n += 1) await ana.press('Backspace');
  await ana.saved();
  const { page } = fay;
  const now = await page.evaluate(async () => (await (await fetch('/api/v1/documents/demo/history')).json()).head.seq);
  // Find a moment at which the text contains the second secret.
  const texts = (from, to) =>
    page.evaluate(async ([from, to]) => JSON.stringify((await (await fetch(`/api/v1/documents/demo/diff?from=${from}&to=${to}`)).json()).texts), [from, to]);
  let then = now;
  while (!(await texts(then, then)).includes('swordfish')) then -= 1;
  await page.goto(`${fay.server.base}/documents/demo/history?from=${then}&to=${now}`);
  const gone = page.locator('[data-target=causes] del').filter({ hasText: 'swordfish' });
  await gone.waitFor();
  const button = page.getByRole('button', { name: 'Redact the selected text' });
  assert.ok(await button.isDisabled(), 'nothing is selected');
  await gone.evaluate((mark) => {
    const text = mark.firstChild;
    getSelection().setBaseAndExtent(text, text.data.indexOf('swordfish'), text, text.data.indexOf('swordfish') + 'swordfish'.length);
  });
  await button.click();
  const past = page.getByRole('dialog', { name: 'Redact this text' });
  assert.equal(await past.locator('blockquote').innerText(), 'swordfish');
  await lookAtAll(page, 'redact-past');
  await past.getByLabel('Reason').fill('A code word');
  await past.getByRole('button', { name: 'Redact permanently' }).click();
  await page.getByText('The text was redacted').waitFor();
  await until('the page says so', async () => {
    const said = await page.locator('[data-target=causes]').innerText();
    return (!said.includes('swordfish') && said.includes('The code is')) || said;
  });
  assert.ok(!(await texts(then, then)).includes('swordfish'));
  await lookAtAll(page, 'redacted-past');
  // The selection now covers kept and deleted text, across the sign ¶ that stands for the deleted end of a paragraph.
  await page.locator('[data-target=causes] .prose').evaluate((prose) => {
    const lines = [...prose.querySelectorAll('p')];
    const line = lines.find((line) => line.textContent.includes('First.'));
    const first = [...line.childNodes].find((node) => node.textContent.includes('First.'));
    const last = [...line.querySelectorAll('del')].at(-1).firstChild;
    getSelection().setBaseAndExtent(first.firstChild ?? first, 2, last, last.data.length);
  });
  await button.click();
  assert.match(await past.locator('blockquote').innerText(), /^rst\.\n+The code is$/);
  await past.getByRole('button', { name: 'Cancel' }).click();
  assert.deepEqual([...ana.errors, ...ben.errors, ...fay.errors], []);
});
