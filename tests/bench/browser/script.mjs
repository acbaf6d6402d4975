// Measures what collaboration adds to the script time of a keystroke and of a remote change, for Accord and
// for y-prosemirror, in comparison with plain ProseMirror on the same text in the same run. Prints the means
// in milliseconds. The page is cross-origin isolated, because its timers are too coarse otherwise.
// `PROFILE=file` only writes a CPU profile of Accord.
import { writeFileSync } from 'node:fs';
import { launch } from '../../node/browser.mjs';
import { servePage } from './serve.mjs';

const { base, close } = await servePage();
const browser = await launch();

async function measure(options, profile) {
  // Each measurement has a page of its own, because memory that an earlier measurement left must not count.
  const page = await browser.newPage();
  await page.goto(base);
  const session = profile && (await page.context().newCDPSession(page));
  if (session) {
    await session.send('Profiler.enable');
    await session.send('Profiler.setSamplingInterval', { interval: 100 });
    await session.send('Profiler.start');
  }
  const result = await page.evaluate(async (options) => (await import('/editors.mjs')).measure(options), options);
  if (session) writeFileSync(profile, JSON.stringify((await session.send('Profiler.stop')).profile));
  await page.close();
  return result;
}

if (process.env.PROFILE) {
  await measure({ words: 50_000, block: 15, dispatches: 2_000, names: ['accord'] }, process.env.PROFILE);
} else {
  console.log('| words × words a block | | plain ProseMirror | Accord adds | y-prosemirror adds |');
  console.log('| --- | --- | --- | --- | --- |');
  for (const words of [5_000, 50_000]) {
    for (const block of [80, 15]) {
      const { plain, accord, yProsemirror } = await measure({ words, block, dispatches: 2_000 });
      for (const [label, key] of [['keystroke', 'typing'], ['remote change', 'remote']]) {
        const adds = (editor) => (editor[key] - plain[key]).toFixed(3);
        console.log(`| ${words} × ${block} | ${label} | ${plain[key].toFixed(3)} | ${adds(accord)} | ${adds(yProsemirror)} |`);
      }
    }
  }
}
await browser.close();
close();
