// Follows a commitment from its first proposal to a public release. The proposal becomes stale, is declined with a reason,
// and is signed by both sides. The release is launched, first under an embargo that is called off, and anybody can read it
// and check its file. Then a second release follows, and a page compares the two.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { story, until } from './browser.mjs';
import { look, lookAtAll, SIZES } from './look.mjs';

const button = (page, name) => page.getByRole('button', { name, exact: true });

/** Opens the release page of a document, and waits until its main heading matches `title`. */
async function release({ page, server }, title, document = 'demo') {
  await page.goto(`${server.base}/documents/${document}/release`);
  await page.getByRole('heading', { level: 1, name: title }).waitFor();
}

/** Clicks a button that opens a dialog, fills in the dialog, and clicks the button of the same name in it. */
async function act({ page }, name, { fill, dialog } = {}) {
  await button(page, name).first().click();
  const open = page.getByRole('dialog');
  await open.waitFor();
  if (fill) await open.getByRole('textbox').fill(fill);
  if (dialog) await dialog(open);
  await open.getByRole('button', { name, exact: true }).click();
  await open.waitFor({ state: 'detached' });
}

await story(async ({ person, newcomer, server }) => {
  const ana = await person('ana');
  const fay = await person('fay', { document: null });
  const ben = await person('ben');
  // Ben’s laptop goes offline, and he continues to write.
  await ben.page.context().setOffline(true);
  await ben.caret('causes', 0, 0);
  await ben.type('Written on the train. ');

  await release(fay, 'Release 1');
  await lookAtAll(fay.page, 'release-draft');
  await act(fay, 'Propose release 1', { fill: 'As agreed on Monday.' });
  await fay.page.getByText('As agreed on Monday.').first().waitFor();
  await lookAtAll(fay.page, 'release-proposed');

  // The editor tells Ana that the text is proposed. Her edit makes the proposal stale, and everybody sees that.
  await ana.page.getByText('This text is proposed for release 1').waitFor();
  await ana.caret('results', 0, 0);
  await ana.type('Soon, ');
  await ana.saved();
  await ana.page.getByText('This text has changed since it was proposed').waitFor();
  await look(ana.page, 'release-editor-stale');
  await fay.page.getByRole('heading', { name: 'The text has changed since it was proposed' }).waitFor();
  assert.equal(await button(fay.page, 'Sign for your side').count(), 0);
  await lookAtAll(fay.page, 'release-stale');
  // The link compares the proposal with the text at the time of the click, so it also shows changes that Fay's page lacks.
  await ana.type('very soon: ');
  await ana.saved();
  await fay.page.getByRole('link', { name: 'See what changed since it was proposed' }).click();
  await fay.page.getByText('Soon, very soon: ').first().waitFor();
  await release(fay, 'Release 1');
  await act(fay, 'Propose release 1');

  // Ben declines the proposal from another device.
  const device = await person('ben', { document: null });
  await release(device, 'Release 1');
  await act(device, 'Decline', { fill: 'The register must be open to everybody.' });
  await fay.page.getByText('declined by Ben', { exact: false }).waitFor();
  await fay.page.getByText('The register must be open to everybody.', { exact: false }).waitFor();
  await ana.caret('results', 0, 0);
  await ana.type('Open to everybody: ');
  await ana.saved();
  await fay.page.reload();
  await act(fay, 'Propose release 1');

  await release(ana, 'Release 1');
  await act(ana, 'Sign for your side', { dialog: (dialog) => look(ana.page, 'release-sign') });
  await ana.page.getByText('You have signed this proposal.').waitFor();
  await ana.open('demo');
  await release(device, 'Release 1');
  await act(device, 'Sign for your side');
  await device.page.getByRole('heading', { level: 1, name: 'Release 1 is frozen' }).waitFor();
  await lookAtAll(device.page, 'release-frozen');

  // The document is frozen: nobody can write. Ben’s offline edit arrives too late, and is parked on his device.
  await ana.page.getByText('Both sides have signed release 1').waitFor();
  await until('Ana can’t write', async () => (await ana.field('results').getAttribute('contenteditable')) === 'false');
  await look(ana.page, 'release-editor-frozen');
  await ben.page.context().setOffline(false);
  await ben.page.getByText('Some of what you wrote could not be saved').waitFor();
  assert.ok(!(await ben.text('causes')).includes('train'));
  await ben.page.getByText('Written on the train.').waitFor();
  await lookAtAll(ben.page, 'release-parked');

  // The release is not public before its launch.
  const nobody = await newcomer('nobody');
  const open = (path) => nobody.page.goto(`${server.base}${path}`);
  assert.equal((await open('/r/demo')).status(), 404);
  await look(nobody.page, 'public-missing');
  await fay.page.goto(`${server.base}/plans/demo`);
  await fay.page.getByRole('heading', { name: 'Publication' }).waitFor();
  await lookAtAll(fay.page, 'launch-board');
  await button(fay.page, 'Launch releases').click();
  await lookAtAll(fay.page, 'launch-dialog');
  // A year with one wrong digit gives a warning, and nothing is launched.
  const time = fay.page.getByLabel('Date and time', { exact: false });
  const planned = await time.inputValue();
  await time.evaluate((field) => field.removeAttribute('min'));
  for (const [year, words] of [['1926', 'This time is in the past: it is '], ['2926', 'more than ten years ahead']]) {
    await time.fill(year + planned.slice(4));
    await button(fay.page, 'Review the launch').click();
    await fay.page.getByRole('alert').getByText(words, { exact: false }).waitFor();
  }
  await look(fay.page, 'launch-past');
  await time.fill(planned);
  await button(fay.page, 'Review the launch').click();
  // The last dialog names the release, the time with its time zone, and says that publishing is final. From there, one can
  // go back and change the launch.
  const zone = await fay.page.evaluate(() => Intl.DateTimeFormat().resolvedOptions().timeZone);
  const last = fay.page.getByRole('dialog', { name: 'Is this what you want to make public?' });
  for (const words of ['This release becomes public:', 'release 1', `(${zone})`, planned.slice(0, 4), 'for good']) await last.getByText(words, { exact: false }).first().waitFor();
  await lookAtAll(fay.page, 'launch-last-look');
  await last.getByRole('button', { name: 'Back' }).click();
  await button(fay.page, 'Review the launch').click();
  await last.getByRole('button', { name: /^Schedule launch for .*\d{4}.* \(.+\)$/ }).click();
  await fay.page.getByText(/Opens in \d+ hours?/).waitFor();
  await lookAtAll(fay.page, 'launch-waiting');
  assert.equal((await open('/r/demo')).status(), 404);
  // In a closed plan, the launch can still be called off, but nothing can be launched and the quorum is settled.
  const setClosed = async (closed) => {
    const change = { method: 'PATCH', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ closed }) };
    assert.equal(await fay.page.evaluate(async (change) => (await fetch('/api/v1/plans/demo', change)).status, change), 204);
    await fay.page.reload();
    await fay.page.getByRole('heading', { name: 'Publication' }).waitFor();
  };
  await setClosed(true);
  await act(fay, 'Call off the launch');
  await fay.page.getByText(/Opens in \d+ hours?/).waitFor({ state: 'detached' });
  const offered = async () => [await button(fay.page, 'Launch releases').count(), await fay.page.getByText(/^Signatures /).count()];
  assert.deepEqual(await offered(), [0, 0]);
  await setClosed(false);
  await button(fay.page, 'Launch releases').click();
  await fay.page.getByLabel('Now', { exact: true }).check();
  await button(fay.page, 'Review the launch').click();
  await button(fay.page, 'Launch 1 release now').click();
  await fay.page.getByRole('link', { name: 'The plan’s public page' }).waitFor();
  assert.equal((await open('/r/demo')).status(), 200);
  await nobody.page.getByText('Signed by both sides').waitFor();
  await lookAtAll(nobody.page, 'public-release');
  await nobody.page.pdf({ path: `${process.env.ACCORD_SHOTS ?? '/tmp'}/public-release.pdf` }).catch(() => undefined);
  assert.equal((await open('/p/demo')).status(), 200);
  await lookAtAll(nobody.page, 'public-plan');
  // The public page is readable without JavaScript.
  const plain = await newcomer('plain', { context: { javaScriptEnabled: false } });
  await plain.page.goto(`${server.base}/r/demo/1#milestones`);
  assert.ok((await plain.page.textContent('main')).includes('Open to everybody: Soon, '));

  // Anybody can verify the signed file in their own browser.
  const file = Buffer.from(await (await fetch(`${server.base}/r/demo/1/release.json`)).arrayBuffer());
  const check = async (buffer, words) => {
    await open('/verify');
    await nobody.page.getByLabel('Choose the signed file (JSON)').setInputFiles({ name: 'release.json', mimeType: 'application/json', buffer });
    await nobody.page.getByRole('status').getByText(words, { exact: false }).first().waitFor();
  };
  await check(file, 'This is a genuine release');
  await nobody.page.getByText('It is the newest public release here.', { exact: false }).waitFor();
  await lookAtAll(nobody.page, 'verify-whole');
  const forged = (from, to) => Buffer.from(file.toString().replace(from, to));
  await check(forged('Open to everybody', 'Open to nobody'), 'The text was changed');
  await lookAtAll(nobody.page, 'verify-changed');
  await check(forged('Ben ', 'Bob '), 'The signed statement was changed');
  await check(forged('"number": 1', '"number": 2'), 'They do not belong together');
  const foreign = JSON.parse(readFileSync(new URL('../data/foreign-release.json', import.meta.url)));
  await check(Buffer.from(JSON.stringify(foreign)), 'This installation did not sign it');

  // Fay begins the next draft, and Ben adds his parked text to it.
  await release(fay, 'Release 1 is frozen');
  await act(fay, 'Begin the next draft', { fill: 'The causes were too short.' });
  await button(ben.page, 'Add it to “What causes the problem?”').click();
  await until('Ben’s words are in the text', async () => (await ben.text('causes')).includes('Written on the train. '));
  await ben.page.getByText('All of it is in the text now.').waitFor();
  await ben.saved();
  await button(ben.page, 'Discard').click();
  await until('Ana has them, too', async () => (await ana.text('causes')).includes('Written on the train. '));
  await release(fay, 'Release 2');
  await fay.page.getByRole('link', { name: 'What changed since release 1' }).waitFor();
  await act(fay, 'Propose release 2');
  for (const one of [ana, device]) {
    await release(one, /Release 2/);
    await act(one, 'Sign for your side');
  }
  await device.page.getByRole('heading', { level: 1, name: 'Release 2 is frozen' }).waitFor();
  await fay.page.goto(`${server.base}/plans/demo`);
  await button(fay.page, 'Launch releases').click();
  await fay.page.getByLabel('Now', { exact: true }).check();
  await button(fay.page, 'Review the launch').click();
  await button(fay.page, 'Launch 1 release now').click();
  await until('release 2 is public', async () => (await open('/r/demo/2')).status() === 200);
  await open('/r/demo/1');
  await nobody.page.getByText('Release 2 replaced this one', { exact: false }).waitFor();
  await look(nobody.page, 'public-replaced');
  await nobody.page.getByRole('link', { name: 'Compare with release 2' }).click();
  await nobody.page.locator('ins', { hasText: 'Written on the train.' }).waitFor();
  await lookAtAll(nobody.page, 'public-compare');
  await check(file, 'It has been replaced: release 2 is the newest');

  for (const one of [ana, fay, ben, device, nobody]) assert.deepEqual(one.errors, [], one.name);
});
