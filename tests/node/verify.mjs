// Checks the page that verifies release files (web/src/features/release/verify.ts) against tests/data/verify. For each file,
// the page must give the same verdict as `accord verify`. It must also print names and titles from a file as that command
// does, without characters that could mislead a reader.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const web = fileURLToPath(new URL('../../web/', import.meta.url));
const data = new URL('../data/verify/', import.meta.url);
const { build } = await import(pathToFileURL(createRequire(`${web}package.json`).resolve('vite')).href);

const out = mkdtempSync(join(tmpdir(), 'accord-verify-'));
await build({
  root: web,
  configFile: false,
  logLevel: 'error',
  build: {
    outDir: out,
    minify: false,
    rollupOptions: { preserveEntrySignatures: 'strict', input: { verify: `${web}src/features/release/verify.ts`, shown: `${web}src/features/release/shown.ts` }, output: { entryFileNames: '[name].mjs' } },
  },
});
try {
  const { verifyRelease } = await import(pathToFileURL(join(out, 'verify.mjs')).href);
  const { toSafeText } = await import(pathToFileURL(join(out, 'shown.mjs')).href);

  const { keys, cases } = JSON.parse(readFileSync(new URL('cases.json', data)));
  const verdict = (bytes, trusted = keys) => {
    const found = verifyRelease(new Uint8Array(bytes), trusted);
    if ('fault' in found) return found.fault;
    return found.otherKey ? 'verified, other key' : 'verified';
  };
  for (const { file, verdict: expect } of cases) assert.equal(verdict(readFileSync(new URL(file, data))), expect, file);
  // Files that would make a parser create hundreds of thousands of values, or recurse millions of levels deep, are refused.
  const whole = readFileSync(new URL('whole.json', data), 'utf8');
  assert.equal(verdict(Buffer.from(whole.replace('"gaps": [', `"gaps": [${'0,'.repeat(500_001)}`))), 'none');
  assert.equal(verdict(Buffer.from('['.repeat(5_000_000))), 'none');
  assert.equal(verdict(Buffer.from(`"${'\\\\'.repeat(5_000_000)}"`)), 'none');
  assert.equal(verdict(Buffer.from(whole), []), 'foreign');
  assert.equal(verdict(Buffer.from(whole), ['no key', ...keys]), 'verified');

  // A release that an earlier version of Accord signed is still valid.
  const old = readFileSync(new URL('../foreign-release.json', data));
  assert.equal(verdict(old, [JSON.parse(old).key]), 'verified');

  for (const [text, expect] of JSON.parse(readFileSync(new URL('shown.json', data)))) assert.equal(toSafeText(text), expect);
} finally {
  rmSync(out, { recursive: true });
}
