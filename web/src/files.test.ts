// Checks the files themselves: none is so long that it probably contains a second idea.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

test('files have at most 400 lines', () => {
  const all = readdirSync('src', { recursive: true });
  const files = all.filter(
    (name) => /\.(ts|svelte)$/.test(name) && !/\.d\.ts$|^(wasm|generated)\//.test(name),
  );
  assert(files.length > 100);
  for (const name of files) {
    const lines = readFileSync(`src/${name}`, 'utf8').split('\n').length;
    assert(lines <= 400, `${name} has ${lines} lines`);
  }
});
