// Checks that words keep their first author when somebody else copies, cuts or drags them, and when somebody deletes
// and restores them offline, on a page that is closed before it can send its claims.
import assert from 'node:assert/strict';
import { agree, sleep, story, until } from './browser.mjs';

await story(async ({ person, server }) => {
  const ana = await person('ana');
  const ben = await person('ben');

  /** Returns the part of a text that, according to the server's history, was first written by the person called `name`. */
  const wrote = (target, name) =>
    ana.page.evaluate(
      async ([target, name]) => {
        const diff = await (await fetch('/api/v1/documents/demo/diff')).json();
        const pieces = diff.texts.find((text) => text.target === target).pieces.filter(({ fate }) => fate !== 'deleted');
        const own = pieces.filter(({ written }) => diff.authors[written.author].name === name);
        return own.map(({ insert }) => insert).join('');
      },
      [target, name],
    );
  const changes = () =>
    ana.page.evaluate(async () => {
      const diff = await (await fetch('/api/v1/documents/demo/diff')).json();
      return diff.changes.map(({ what, target, from, text }) => [what, target, from, text]);
    });
  await sleep(700);
  assert.doesNotMatch(await ana.page.locator('p[role=status]').first().innerText(), /changed/, 'opening it is no news');
  const saved = async () => {
    await ana.saved();
    await ben.saved();
  };

  const sentence = 'Nobody publishes the budgets of schools.';
  await ben.caret('problem', -1, -1);
  await ben.press('Enter');
  await ben.type(sentence);
  await ben.press('Enter');
  await ben.type('The second paragraph is his as well.');
  await agree('problem', ana, ben);
  await saved();
  const line = (await ana.lines('problem')).indexOf(sentence);

  // Ana copies Ben's sentence with the start of the next paragraph, and pastes both into another field.
  await ana.caret('problem', line, 0);
  await ana.select(sentence.length + 1 + 'The second'.length);
  await ana.press('Control+c');
  await ana.caret('results', 0, 0);
  await ana.type('He says: ');
  await ana.press('Control+v');
  await ana.type(' — so he did');
  await agree('results', ana, ben);
  await saved();
  assert.equal(await wrote('results', 'Ben Okafor'), `${sentence}\nThe second`);

  // Ana cuts the sentence and pastes it into a third field. Ben is still its author.
  await ana.caret('problem', line, 0);
  await ana.select(sentence.length);
  await ana.press('Control+x');
  await ana.caret('accountability', 0, 0);
  await ana.press('Control+v');
  await until('it is there', async () => (await ana.text('accountability')).includes(sentence));
  await saved();
  assert.equal(await wrote('accountability', 'Ben Okafor'), sentence);
  assert.ok(
    (await changes()).some(([what, target]) => what === 'inserted' && target === 'accountability'),
    'since the beginning it is new there',
  );

  // Ana drags some of Ben's words to another place in the same text.
  const words = 'The second paragraph';
  await ana.caret('problem', -1, 0);
  await ana.select(words.length);
  await ana.field('problem').evaluate((field) => field.scrollIntoView({ block: 'center', behavior: 'instant' }));
  const at = await ana.page.evaluate(() => {
    const { x, y, height } = getSelection().getRangeAt(0).getBoundingClientRect();
    return { x: x + 20, y: y + height / 2 };
  });
  const to = await ana.field('problem').evaluate((field) => {
    const range = document.createRange();
    range.setStart(field.children[0].firstChild, 4);
    const { x, y, height } = range.getBoundingClientRect();
    return { x, y: y + height / 2 };
  });
  await ana.page.mouse.move(at.x, at.y);
  await ana.page.mouse.down();
  await ana.page.mouse.move(at.x - 10, at.y - 5, { steps: 3 });
  await ana.page.mouse.move(to.x, to.y, { steps: 5 });
  await ana.page.mouse.up();
  await until('it is at the front', async () => (await ana.lines('problem'))[0].includes(words) || ana.lines('problem'));
  await saved();
  assert.ok((await wrote('problem', 'Ben Okafor')).includes(words), await wrote('problem', 'Ben Okafor'));

  // Text that is pasted from outside the document belongs to the person who pastes it.
  await ana.field('participation').focus();
  await ana.field('participation').evaluate((field) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', 'Out of a report.');
    field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  });
  await until('it is there', async () => (await ana.text('participation')).includes('Out of a report.'));
  await saved();
  assert.equal(await wrote('participation', 'Ana Ferreira'), 'Out of a report.');

  // Offline, Ana deletes Ben's sentence, undoes the deletion, and closes the page before its edits are sent.
  await ana.context.setOffline(true);
  await until('Ana is offline', async () => (await ana.status()).startsWith('Offline') || ana.status());
  await ana.caret('accountability', 0, 0);
  await ana.select(sentence.length);
  await ana.press('Delete');
  await until('it is gone', async () => !(await ana.text('accountability')).includes(sentence));
  await sleep(600);
  await ana.press('Control+z');
  await until('it is back', async () => (await ana.text('accountability')).includes(sentence));
  await ana.type('Offline: ');
  await sleep(400);
  await ana.page.close();
  await ana.context.setOffline(false);
  ana.page = await ana.context.newPage();
  await ana.open('demo');
  await until('Ben has it', async () => (await ben.text('accountability')).includes('Offline: '));
  await saved();
  assert.equal(await wrote('accountability', 'Ben Okafor'), sentence);
  assert.deepEqual([...ana.errors, ...ben.errors], []);
});
