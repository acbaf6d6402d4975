// Checks that two people can type, split and format in the same paragraph at the same time, and that each sees the other's
// caret in the right place.
import assert from 'node:assert/strict';
import { agree, sleep, story, until } from './browser.mjs';

await story(async ({ person, server }) => {
  const ana = await person('ana');
  const ben = await person('ben');

  // Ana and Ben type in the same line at the same time.
  await ana.caret('causes', 0, 0);
  await ben.caret('causes', 0, -1);
  const before = await ana.text('causes');
  await Promise.all([ana.type('Ana types at the start. ', 8), ben.type(' Ben types at the end.', 8)]);
  const both = await agree('causes', ana, ben);
  assert.equal(both, `Ana types at the start. ${before} Ben types at the end.`);

  // Ana splits a line and makes a list, while Ben types at the end of the line.
  await ana.caret('brief', 0, 8);
  await ben.caret('brief', 0, -1);
  const brief = await ana.text('brief');
  await Promise.all([
    (async () => {
      await ana.press('Enter');
      await ana.press('Control+Shift+8');
      await ana.type('first words ', 8);
    })(),
    ben.type(' and Ben goes on typing', 12),
  ]);
  const split = await agree('brief', ana, ben);
  assert.equal(split, `${brief.slice(0, 8)}\nfirst words ${brief.slice(8)} and Ben goes on typing`);
  assert.deepEqual(await ben.kinds('brief'), ['p', 'ul']);

  // Ana's Markdown becomes a heading, and Ben sees her bold text.
  await ana.caret('results', 0, 0);
  await ana.type('# Results');
  await ana.press('Enter');
  await ana.press('Control+b');
  await ana.type('bold');
  await ana.press('Control+b');
  await ana.type(' plain');
  await until('bold for Ben', async () => (await ben.field('results').locator('strong').allInnerTexts()).join() === 'bold');
  assert.deepEqual(await ben.kinds('results'), ['h3', 'p']);

  // Ben's caret has his name and is in the right place, also after the text before it changes.
  await ben.caret('results', 1, 4);
  const caretOffset = () =>
    ana.field('results').evaluate((field) => {
      const caret = field.querySelector('.caret');
      if (!caret) return 'no caret';
      const range = document.createRange();
      range.setStart(field.children[1], 0);
      range.setEndBefore(caret);
      return `${caret.querySelector('.caret-name').textContent} ${range.toString().length}`;
    });
  await until('Ben’s caret', async () => (await caretOffset()) === 'Ben Okafor 4' || (await caretOffset()));
  await ana.caret('results', 1, 0);
  await ana.type('xyz');
  await until('Ben’s caret moved', async () => (await caretOffset()) === 'Ben Okafor 7' || (await caretOffset()));
  await ben.type('!');
  assert.equal((await agree('results', ana, ben)).split('\n')[1], 'xyzbold! plain');
  const benAt = (place) => until(`Ben’s caret ${place}`, async () => (await caretOffset()) === `Ben Okafor ${place}` || (await caretOffset()));
  // On Ana's page, Ben's caret moves when he types or deletes in the middle of a word.
  await benAt(8);
  await ben.type('ab');
  await benAt(10);
  await ben.press('Backspace');
  await ben.press('Backspace');
  await benAt(8);
  // Ben's caret stays at the end of its line when Ana inserts a line break there.
  await ben.caret('results', 1, -1);
  await benAt(14);
  await ana.caret('results', 1, -1);
  await ana.press('Enter');
  await ana.type('next');
  await benAt(14);
  await ben.type('.');
  assert.equal(await agree('results', ana, ben), 'Results\nxyzbold! plain.\nnext');

  // Ben's name covers words of the line above, so it is gone soon after he has put his caret there. It stays away while Ana
  // types beside his caret, and is shown again when he moves his caret, or while a pointer is at it.
  const isNamed = () => ana.field('results').locator('.caret-name').isVisible();
  const named = (shown, when) => until(`Ben’s name ${when}`, async () => (await isNamed()) === shown || 'not yet');
  await named(false, 'is gone');
  await ana.caret('results', 1, 0);
  await ana.type('Ana ');
  await agree('results', ana, ben);
  await ana.pause(100);
  assert.equal(await isNamed(), false, 'Ben’s name is not shown while Ana types');
  await ben.press('ArrowLeft');
  await named(true, 'is shown');
  await named(false, 'is gone again');
  await ana.field('results').locator('.caret').hover();
  assert.equal(await isNamed(), true, 'Ben’s name is shown to a pointer');

  // Ana clicks on Ben's caret. Her own caret is then there, and she can type.
  await ana.field('results').locator('.caret').click();
  await ana.type('|');
  assert.equal((await agree('results', ana, ben)).split('\n')[1], 'Ana xyzbold! plain|.');
  await ana.press('Backspace');

  // In forced colours, the mark of the caret differs from the page.
  await ana.page.emulateMedia({ forcedColors: 'active' });
  const canvas = await ana.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const mark = await ana
    .field('results')
    .locator('.caret')
    .evaluate((caret) => getComputedStyle(caret, '::before').backgroundColor);
  assert.notEqual(mark, canvas);
  await ana.page.emulateMedia({ forcedColors: 'none' });

  // For people who can't see the carets, the page says once, in words, who changed what.
  const told = () => ben.page.locator('p[role=status][aria-live=polite]').first().innerText();
  await until('Ben is told', async () => (await told()).includes('Ana Ferreira changed “What results do you want?”') || (await told()));

  // Ana adds a milestone and moves it up, and Ben sees both.
  await ana.page.getByRole('button', { name: 'Add a milestone' }).click();
  await ana.type('A third step');
  await until('Ben sees it', async () => (await ben.page.locator('[data-milestone]').count()) === 3);
  await ana.page.getByRole('button', { name: 'Move milestone 3 up' }).click();
  await until('moved', async () => {
    const all = await ben.page.locator('[data-milestone] fieldset > div [data-target$="/what"]').allInnerTexts();
    return all[1] === 'A third step' || all;
  });
  await ana.saved();
  await ben.saved();

  // The text that both see is on the server's disk.
  const cookie = (await ana.context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
  const stored = await (await fetch(`${server.base}/api/v1/documents/demo/content`, { headers: { cookie } })).json();
  assert.equal(stored.causes.map((op) => op.insert).join(''), `${both}\n`);
  await sleep(50);
  assert.deepEqual([...ana.errors, ...ben.errors], []);
});
