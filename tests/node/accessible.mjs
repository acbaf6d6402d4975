// Checks that the pages are accessible: axe finds no serious violation, in light and dark mode, at desktop and
// phone width, and people can invite, sign in, write and format with the keyboard alone.
import assert from 'node:assert/strict';
import { story, until } from './browser.mjs';
import { look, lookAtAll, SIZES } from './look.mjs';

await story(async ({ browser, server }) => {
  for (const colorScheme of ['light', 'dark']) {
    for (const [size, viewport] of Object.entries(SIZES)) {
      const context = await browser.newContext({ viewport, colorScheme });
      const page = await context.newPage();
      const name = (what) => `${what}-${size}-${colorScheme}`;
      await page.goto(server.base);
      await page.waitForSelector('[data-demo=ana]');
      await look(page, name('sign-in'));
      await page.click('[data-demo=ana]');
      await page.waitForSelector('h3 a');
      await look(page, name('plan'));
      await page.getByRole('button', { name: 'New commitment' }).click();
      await look(page, name('plan-new'));
      await page.goto(`${server.base}/documents/demo`);
      await page.waitForSelector('[data-target=problem]');
      await look(page, name('commitment'));
      await page.locator('[data-target=solution]').click();
      await look(page, name('commitment-editing'));
      await page.goto(`${server.base}/documents/none`);
      await page.waitForSelector('h1');
      await look(page, name('missing'));
      await context.close();
    }
  }

  // The same checks cover the pages of a facilitator and those of an administrator.
  for (const [name, pages] of [
    ['fay', { people: '/plans/demo/people', 'plan-facilitator': '/plans/demo', record: '/plans/demo/record', account: '/account' }],
    ['ida', { plans: '/', administration: '/administration', 'plan-administrator': '/plans/demo', 'record-all': '/administration/record' }],
  ]) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(server.base);
    await page.click(`[data-demo=${name}]`);
    // Wait until the person is signed in: a page that is opened earlier would show the sign-in form.
    await page.waitForSelector('[data-demo]', { state: 'detached' });
    await page.waitForSelector('h1');
    for (const [what, path] of Object.entries(pages)) {
      await page.goto(`${server.base}${path}`);
      await page.waitForSelector('h1');
      await page.waitForLoadState('networkidle');
      await lookAtAll(page, what);
    }
    if (name === 'fay') {
      await page.goto(`${server.base}/plans/demo/people`);
      await page.getByRole('button', { name: 'Change the role of Ben Okafor' }).click();
      await lookAtAll(page, 'people-change');
      await page.getByRole('button', { name: 'Remove from the plan' }).click();
      await lookAtAll(page, 'people-remove');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Invite people' }).click();
      await page.fill('textarea', 'The ombudsman\nFollow the Money Riverton');
      await lookAtAll(page, 'people-invite');
      await page.getByRole('button', { name: 'Create links' }).click();
      await page.waitForSelector('.copy');
      await lookAtAll(page, 'people-invited');
      await page.goto(`${server.base}/plans/demo`);
      await page.locator('details summary').first().click();
      await lookAtAll(page, 'plan-menu');
    }
    await context.close();
  }

  // From here on, everything is done with the keyboard.
  const context = await browser.newContext({ viewport: SIZES.desktop });
  const page = await context.newPage();
  const tabTo = async (what, matches, value) => {
    for (let n = 0; n < 60; n += 1) {
      await page.keyboard.press('Tab');
      if (await page.evaluate(matches, value)) return;
    }
    throw new Error(`the Tab key does not reach ${what}`);
  };
  const named = (name) => (document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText) === name;

  // Fay invites somebody and changes a role.
  await page.goto(server.base);
  await page.waitForSelector('[data-demo=fay]');
  await tabTo('Fay', () => document.activeElement.dataset.demo === 'fay');
  await page.keyboard.press('Enter');
  await page.waitForSelector('h3 a');
  await tabTo('the people', named, 'People');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'People' }).waitFor();
  await tabTo('inviting', named, 'Invite people');
  await page.keyboard.press('Enter');
  await page.keyboard.type('By keyboard');
  await tabTo('the seat', () => document.activeElement.nodeName === 'SELECT');
  await page.keyboard.type('Obs');
  await tabTo('making the links', named, 'Create links');
  await page.keyboard.press('Enter');
  await page.getByLabel('By keyboard', { exact: true }).waitFor();
  await tabTo('the link', () => document.activeElement.value?.includes('/invitations/'));
  await tabTo('closing', named, 'Close');
  await page.keyboard.press('Enter');
  await tabTo('changing', named, 'Change the role of Ada Lindqvist');
  await page.keyboard.press('Enter');
  await tabTo('the seat', () => document.activeElement.nodeName === 'SELECT');
  await page.keyboard.type('Obs');
  await tabTo('saving', named, 'Save');
  await page.keyboard.press('Enter');
  await page.getByRole('listitem').filter({ hasText: 'Ada Lindqvist' }).getByText('Observer').waitFor();
  await tabTo('signing out', named, 'Sign out');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-demo=ana]');

  // Ben signs in, opens a commitment, writes, makes a list, and moves to the toolbar and back.
  await page.goto(server.base);
  await page.waitForSelector('[data-demo=ana]');
  await tabTo('Ben', () => document.activeElement.dataset.demo === 'ben');
  await page.keyboard.press('Enter');
  await page.waitForSelector('h3 a');
  await tabTo('the commitment', () => document.activeElement.getAttribute('href') === '/documents/demo-water');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-target=problem]');
  await tabTo('the problem', () => document.activeElement.dataset.target === 'problem');
  await page.keyboard.type('Typed by keyboard');
  await page.keyboard.press('Control+Shift+8');
  await page.keyboard.press('Shift+Tab');
  await until('the toolbar', () => page.evaluate(() => document.activeElement.closest('[role=toolbar]') !== null));
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Italic');
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement.dataset.target), 'problem');
  const editor = page.getByRole('textbox', { name: 'What problem does this address?' });
  assert.equal(await editor.locator('ul > li').innerText(), 'Typed by keyboard');
});
