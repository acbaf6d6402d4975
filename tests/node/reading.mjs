// Checks that the page shows every text of a release that the digest covers, also a text for which this version of Accord
// has no section (web/src/features/release/ReleasedText.svelte).
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const web = fileURLToPath(new URL('../../web/', import.meta.url));
const { build } = await import(pathToFileURL(createRequire(`${web}package.json`).resolve('vite')).href);

const out = mkdtempSync(join(tmpdir(), 'accord-reading-'));
const entry = '\0reading';
const code = `export { render } from 'svelte/server';
  export { default as ReleasedText } from ${JSON.stringify(`${web}src/features/release/ReleasedText.svelte`)};`;
await build({
  root: web,
  logLevel: 'error',
  plugins: [{ name: 'reading', resolveId: (id) => (id === 'reading' ? entry : undefined), load: (id) => (id === entry ? code : undefined) }],
  ssr: { noExternal: true },
  build: { ssr: true, outDir: out, rollupOptions: { input: { reading: 'reading' }, output: { entryFileNames: '[name].mjs' } } },
});
try {
  // The catalogues of messages choose one of the browser's languages.
  globalThis.navigator ??= { languages: ['en'] };
  const { render, ReleasedText } = await import(pathToFileURL(join(out, 'reading.mjs')).href);
  const released = (texts) => ({ language: 'en', texts, milestones: [], facts: {}, gaps: [] });
  const shown = (texts) => render(ReleasedText, { props: { released: released(texts) } }).body;
  const text = (words) => [{ insert: `${words}\n` }];
  const body = shown({ title: text('Title'), problem: text('Known'), tomorrow: text('Unknown'), constructor: text('Odd'), empty: text('') });
  for (const words of ['Title', 'Known', 'Unknown', 'Odd', 'tomorrow']) assert.ok(body.includes(words), words);
  assert.ok(body.indexOf('Known') < body.indexOf('Unknown'), 'what this version does not know is behind the rest');
  assert.ok(!body.includes('empty'));
} finally {
  rmSync(out, { recursive: true });
}
