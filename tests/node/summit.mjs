// Two governments prepare releases for a summit, each with its own plan, signatories and language. One government
// imports its draft from a file. Its first proposal becomes stale, its second is declined with a reason, and its third
// is signed. Each government launches its own release, one of them under an embargo that ends by itself. A second
// release follows, and a page compares it with the first.
import assert from 'node:assert/strict';
import { story, until } from './browser.mjs';
import { look, lookAtAll } from './look.mjs';

const button = (page, name) => page.getByRole('button', { name, exact: true });

const DRAFT = `# ღია ბიუჯეტი

შესავალი, რომელსაც ადგილი არ აქვს.

## პასუხისმგებელი უწყება

თბილისის მერია

## What is the public problem?

ბიუჯეტს **ვერავინ** კითხულობს.

## გადაწყვეტა

1. საჯარო რეესტრი
2. ყოველთვიური ანგარიში

| Milestone | Expected outputs | Completion date | Responsible |
|---|---|---|---|
| რეესტრი | პორტალი | 2027-06-30 | მერია |
`;

await story(async ({ newcomer, server }) => {
  const call = async (one, method, path, data) => {
    const answer = await one.page.request.fetch(`${server.base}/api/v1${path}`, { method, data });
    assert.ok(answer.ok(), `${method} ${path}: ${answer.status()} ${await answer.text()}`);
    return answer.status() === 204 ? undefined : answer.json();
  };

  const ida = await newcomer('ida');
  await call(ida, 'POST', '/session', { demo: 'ida' });

  /** Creates a plan with two people: a facilitator who signs for the government, and an author who signs for civil society. */
  const government = async (title, names) => {
    const { id: plan } = await call(ida, 'POST', '/plans', { title });
    const seats = [
      { seat: 'facilitator', sector: 'government', signatory: true },
      { seat: 'author', sector: 'civil_society', signatory: true },
    ];
    const people = [];
    for (const [index, name] of names.entries()) {
      const [{ link }] = await call(ida, 'POST', `/plans/${plan}/invitations`, { invitations: [seats[index]], days: 7 });
      const one = await newcomer(name);
      const account = { name, email: `${name.toLowerCase()}@example.org`, password: 'a long and unusual sentence' };
      await call(one, 'POST', `/invitations/${link.split('/').at(-1)}`, { account });
      people.push(one);
    }
    return { plan, people };
  };
  const tbilisi = await government('თბილისის სამოქმედო გეგმა 2027', ['Nino', 'Giorgi']);
  const seoul = await government('서울 실행 계획 2027', ['Minji', 'Jun']);
  const [nino, giorgi] = tbilisi.people;
  const [minji, jun] = seoul.people;

  const release = async (one, document, title) => {
    await one.page.goto(`${server.base}/documents/${document}/release`);
    await one.page.getByRole('heading', { level: 1, name: title }).waitFor();
  };
  const act = async ({ page }, name, fill) => {
    await button(page, name).first().click();
    const open = page.getByRole('dialog');
    await open.waitFor();
    if (fill) await open.getByRole('textbox').fill(fill);
    await open.getByRole('button', { name, exact: true }).click();
    await open.waitFor({ state: 'detached' });
  };
  const launch = async ({ page }, plan) => {
    await page.goto(`${server.base}/plans/${plan}`);
    await button(page, 'Launch releases').click();
    await page.getByLabel('Now', { exact: true }).check();
    await button(page, 'Review the launch').click();
    await page.getByRole('button', { name: /^Launch \d+ releases? now$/ }).click();
  };
  const bothSign = async (document, number, people) => {
    for (const one of people) {
      await release(one, document, `Release ${number}`);
      await act(one, 'Sign for your side');
    }
    await people.at(-1).page.getByRole('heading', { level: 1, name: `Release ${number} is frozen` }).waitFor();
  };

  // Tbilisi imports its draft. Text that fits no field goes into the notes, and the draft can't be proposed until that
  // text is moved.
  await nino.page.goto(`${server.base}/plans/${tbilisi.plan}`);
  await button(nino.page, 'Import a draft').click();
  await lookAtAll(nino.page, 'bring-in');
  const choose = (name, text) =>
    nino.page.getByLabel('File', { exact: true }).setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
  await button(nino.page, 'Import').click();
  await nino.page.getByRole('alert').getByText('Choose a file first.').waitFor();
  await choose('draft.pdf', '%PDF-1.7');
  await button(nino.page, 'Import').click();
  await nino.page.getByRole('alert').getByText('neither a Word document', { exact: false }).waitFor();
  await look(nino.page, 'bring-in-refused');
  await choose('draft.md', DRAFT);
  await nino.page.getByLabel('Language of the draft').selectOption('ka');
  await button(nino.page, 'Import').click();
  await nino.page.getByText('It is in Notes', { exact: false }).waitFor();
  await nino.page.getByText('Milestones: 1', { exact: false }).waitFor();
  await lookAtAll(nino.page, 'bring-in-done');
  await nino.page.getByRole('link', { name: 'Open the commitment' }).click();
  await nino.page.waitForSelector('[data-target=notes]');
  await nino.saved();
  const georgian = new URL(nino.page.url()).pathname.split('/').at(-1);
  assert.equal(await nino.text('problem'), 'ბიუჯეტს ვერავინ კითხულობს.');
  assert.deepEqual(await nino.lines('notes'), ['შესავალი, რომელსაც ადგილი არ აქვს.']);
  await nino.field('notes').scrollIntoViewIfNeeded();
  await look(nino.page, 'notes');
  await release(nino, georgian, 'Release 1');
  await nino.page.getByText('text in Notes, which is never released', { exact: false }).waitFor();
  assert.ok(await button(nino.page, 'Propose release 1').isDisabled());
  await look(nino.page, 'notes-block');
  // Nino moves the text from the notes to the field where it belongs.
  await nino.open(georgian);
  await nino.caret('notes');
  await nino.press('Control+a');
  await nino.press('Control+x');
  await nino.caret('causes');
  await nino.press('Control+v');
  await until('it has moved', async () => (await nino.text('causes')).includes('შესავალი') || (await nino.text('causes')));
  await nino.saved();
  await release(nino, georgian, 'Release 1');
  await act(nino, 'Propose release 1', 'შაბათამდე');

  // Giorgi's edit makes the proposal stale. He declines the next proposal with a reason, and both sign the third.
  await giorgi.open(georgian);
  await giorgi.caret('results');
  await giorgi.type('Everybody reads it. ');
  await giorgi.saved();
  await nino.page.getByRole('heading', { name: 'The text has changed since it was proposed' }).waitFor();
  await act(nino, 'Propose release 1');
  await release(giorgi, georgian, 'Release 1');
  await act(giorgi, 'Decline', 'No date for the report.');
  await nino.page.getByText('No date for the report.', { exact: false }).waitFor();
  await giorgi.open(georgian);
  await giorgi.caret('results');
  await giorgi.type('Each month. ');
  await giorgi.saved();
  await nino.page.reload();
  await act(nino, 'Propose release 1');
  await bothSign(georgian, 1, [nino, giorgi]);

  // The two sides can download the files of the release before it is public.
  await giorgi.page.getByRole('heading', { name: 'Files', exact: true }).waitFor();
  await lookAtAll(giorgi.page, 'release-files');
  const files = await giorgi.page.locator('a[download]').evaluateAll((all) => all.map(({ href }) => href));
  assert.ok(files.length >= 10, `${files.length} files`);
  for (const file of new Set(files)) {
    const answer = await giorgi.page.request.get(file);
    assert.equal(answer.status(), 200, file);
    assert.ok((await answer.body()).length > 500, file);
  }
  await giorgi.page.getByText('Word, with tracked changes since …').click();
  const [download] = await Promise.all([
    giorgi.page.waitForEvent('download'),
    giorgi.page.getByRole('link', { name: 'Download', exact: true }).click(),
  ]);
  assert.match(download.suggestedFilename(), /^ღია ბიუჯეტი changes\.docx$/);

  // Seoul writes a commitment of its own, which people of Tbilisi's plan can't open.
  await minji.page.goto(`${server.base}/plans/${seoul.plan}`);
  await button(minji.page, 'New commitment').click();
  await minji.page.getByRole('textbox').first().fill('열린 계약');
  await minji.page.getByLabel('Language').selectOption('ko');
  await minji.page.locator('form button[type=submit]').click();
  await minji.page.waitForSelector('[data-target=problem]');
  const korean = new URL(minji.page.url()).pathname.split('/').at(-1);
  await minji.caret('problem');
  await minji.type('계약은 비밀이다.');
  await minji.saved();
  assert.equal((await nino.page.request.get(`${server.base}/api/v1/documents/${korean}`)).status(), 404);
  await release(minji, korean, 'Release 1');
  await act(minji, 'Propose release 1');
  await bothSign(korean, 1, [minji, jun]);

  // Seoul's release is public immediately. Tbilisi's is under an embargo that ends by itself after three seconds.
  const nobody = await newcomer('nobody');
  const open = async (path) => (await nobody.page.goto(`${server.base}${path}`)).status();
  await launch(minji, seoul.plan);
  await until('Seoul is public', async () => (await open(`/r/${korean}`)) === 200);
  await look(nobody.page, 'summit-seoul');
  assert.equal(await open(`/p/${tbilisi.plan}`), 404);
  const { now } = await call(nino, 'GET', `/plans/${tbilisi.plan}`);
  await call(nino, 'POST', `/plans/${tbilisi.plan}/launches`, { documents: [georgian], opens: now + 3_000, zone: 'Asia/Tbilisi' });
  for (const path of [`/r/${georgian}`, `/r/${georgian}/1/release.pdf`, `/p/${tbilisi.plan}`]) {
    assert.equal((await fetch(`${server.base}${path}`)).status, 404, path);
  }
  await nino.page.goto(`${server.base}/plans/${tbilisi.plan}`);
  await until('Tbilisi opened by itself', async () => (await open(`/p/${tbilisi.plan}`)) === 200);
  const main = await nobody.page.textContent('main');
  assert.ok(main.includes('ღია ბიუჯეტი') && !main.includes('열린 계약'), main);
  await nino.page.getByRole('link', { name: 'The plan’s public page' }).waitFor();

  // Tbilisi begins the next draft and releases it.
  await release(nino, georgian, 'Release 1 is frozen');
  await act(nino, 'Begin the next draft', 'A month later.');
  await giorgi.open(georgian);
  await giorgi.caret('results');
  await giorgi.type('And in English. ');
  await giorgi.saved();
  await release(nino, georgian, 'Release 2');
  await act(nino, 'Propose release 2');
  await bothSign(georgian, 2, [nino, giorgi]);
  // The history page lists every step of the two releases.
  await giorgi.page.goto(`${server.base}/documents/${georgian}/history`);
  const steps = giorgi.page.getByRole('heading', { name: 'Releases and proposals' }).locator('+ ul');
  for (const step of ['Nino proposed the text', 'Giorgi declined', 'No date for the report.', 'Release 1 was frozen', 'Nino began the next draft']) {
    await steps.getByText(step, { exact: false }).first().waitFor();
  }
  await lookAtAll(giorgi.page, 'history-steps');
  await launch(nino, tbilisi.plan);
  await until('release 2 is public', async () => (await open(`/r/${georgian}/2`)) === 200);
  await lookAtAll(nobody.page, 'summit-tbilisi');
  assert.equal(await open(`/r/${georgian}/compare/1/2`), 200);
  await nobody.page.locator('ins', { hasText: 'And in English.' }).waitFor();
  await look(nobody.page, 'summit-compare');
  for (const one of [nino, giorgi, minji, jun, nobody]) assert.deepEqual(one.errors, [], one.name);
});
