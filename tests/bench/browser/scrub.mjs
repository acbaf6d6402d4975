// Measures the history page of a long document: the time from moving the slider to the frame that shows the
// text of that moment with its changes, in milliseconds.
import { story, until } from '../../node/browser.mjs';

const MOMENTS = 60;
const [data, document] = process.argv.slice(2);

const spread = (all) => {
  const sorted = [...all].sort((a, b) => a - b);
  const at = (share) => sorted[Math.floor((sorted.length - 1) * share)].toFixed(0);
  return `median ${at(0.5)}, 95th percentile ${at(0.95)}, longest ${at(1)}`;
};

/** Moves the slider to a moment, and waits until the page shows that moment. Returns the milliseconds that this took. */
function go(moment) {
  return new Promise((resolve) => {
    const slider = globalThis.document.querySelector('input[type=range]');
    const shown = globalThis.document.querySelector('[data-moment]');
    const started = performance.now();
    new MutationObserver((_, observer) => {
      if (shown.dataset.moment !== String(moment)) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - started), 0));
    }).observe(shown, { attributes: true });
    slider.value = String(moment);
    slider.dispatchEvent(new Event('input', { bubbles: true }));
  });
}

await story(
  async ({ person, server }) => {
    const { page } = await person('ana', { document: null });
    const opened = performance.now();
    await page.goto(`${server.base}/documents/${document}/history`);
    await page.locator('[data-moment]').waitFor();
    console.log(`scrub: the history page of a long document, opened for the first time, in ${(performance.now() - opened).toFixed(0)} ms`);
    const head = Number(await page.locator('input[type=range]').getAttribute('max'));
    const bytes = [];
    page.on('response', async (response) => {
      if (response.url().includes('/diff?')) bytes.push((await response.request().sizes()).responseBodySize);
    });
    for (const [what, moments] of [
      ['anywhere', Array.from({ length: MOMENTS }, (_, n) => 2 + ((n * 7_919_993 + 12_345) % (head - 2)))],
      ['along', Array.from({ length: MOMENTS }, (_, n) => Math.floor((head * (n + 1)) / (MOMENTS + 1)))],
    ]) {
      const times = [];
      for (const moment of moments) times.push(await page.evaluate(go, moment));
      console.log(`  ${what}: ${spread(times)} ms`);
    }
    await until('all sizes are known', async () => bytes.length >= 2 * MOMENTS || bytes.length);
    console.log(`  a comparison over the network: ${spread(bytes.map((size) => size / 1000))} kB`);
  },
  { data },
);
