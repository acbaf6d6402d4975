// Every page: nothing serious for axe, in light and dark, at desktop and phone width; and the
// whole way by keyboard.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { story, until } from './browser.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const shots = process.env.ACCORD_SHOTS;

async function look(page, name) {
  if (shots) await page.screenshot({ path: `${shots}/${name}.png`, fullPage: false });
  // Our own content security policy forbids injected scripts: the tester's comes in beside it.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
  );
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const told = serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
  assert.deepEqual(told, [], name);
  // Nothing may be wider than the page.
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${name} scrolls sideways by ${wide} px`);
}

await story(async ({ browser, server }) => {
  const sizes = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };
  for (const colorScheme of ['light', 'dark']) {
    for (const [size, viewport] of Object.entries(sizes)) {
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

  // By keyboard alone: sign in, open a commitment, write, format, go on.
  const context = await browser.newContext({ viewport: sizes.desktop });
  const page = await context.newPage();
  await page.goto(server.base);
  await page.waitForSelector('[data-demo=ana]');
  const tabTo = async (what, matches) => {
    for (let n = 0; n < 60; n += 1) {
      await page.keyboard.press('Tab');
      if (await page.evaluate(matches)) return;
    }
    throw new Error(`the Tab key does not reach ${what}`);
  };
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
