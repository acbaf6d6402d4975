// Checks that imports lead one way, as docs/architecture.md requires: files form no circle, and no folder imports from one
// above it.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

/** For each folder, the other folders from which its files may import. Features may import everything except `pages.ts`. */
const MAY_IMPORT: Record<string, string[]> = {
  frame: ['api', 'messages', 'ui'],
  editor: ['messages', 'sync', 'text', 'wasm'],
  sync: ['api', 'generated', 'text', 'wasm'],
  ui: ['api', 'messages'],
  messages: ['api'],
  text: [],
  generated: [],
  api: [],
};
/** Features that work without a live document, and the folders that they must not import. */
const MUST_NOT_IMPORT: Record<string, string[]> = {
  'features/history/': ['wasm', 'sync'],
  'features/release/': ['wasm', 'sync', 'editor'],
};

const files = readdirSync('src', { recursive: true }).filter(
  (name) => /\.(ts|svelte)$/.test(name) && !/\.test\.ts$|\.d\.ts$|^wasm\//.test(name),
);

/** Returns the file that a relative path leads to. A query such as `?url` is ignored. */
function resolvePath(from: string, path: string): string {
  const parts = from.split('/').slice(0, -1);
  for (const part of path.replace(/\?.*/, '').split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  const base = parts.join('/');
  const found = [base, `${base}.ts`, `${base}.svelte.ts`, `${base}/index.ts`].find((name) =>
    files.includes(name),
  );
  return found ?? base;
}

const imports = new Map(
  files.map((name) => {
    const source = readFileSync(`src/${name}`, 'utf8');
    const paths = [...source.matchAll(/(?:\bfrom |\bimport\(|\bimport )'(\.[^']+)'/g)].map(
      ([, path]) => path ?? '',
    );
    return [name, paths.map((path) => resolvePath(name, path))];
  }),
);

/** Returns the first circle of imports that a search from `name` finds, if any. `trail` is the path of files so far. */
function findCircle(name: string, trail: string[], done: Set<string>): string[] | undefined {
  const start = trail.indexOf(name);
  if (start >= 0) return [...trail.slice(start), name];
  if (done.has(name)) return undefined;
  done.add(name);
  for (const next of imports.get(name) ?? []) {
    const found = findCircle(next, [...trail, name], done);
    if (found) return found;
  }
  return undefined;
}

test('no files import each other in a circle', () => {
  const done = new Set<string>();
  for (const name of files) assert.deepEqual(findCircle(name, [], done), undefined);
});

test('no folder imports from one above it', () => {
  for (const [name, paths] of imports) {
    const folder = name.split('/')[0] ?? '';
    for (const path of paths) {
      const to = path.split('/')[0] ?? '';
      const isAllowed =
        folder === to || (MAY_IMPORT[folder]?.includes(to) ?? (folder !== 'features' || path !== 'pages.ts'));
      assert(isAllowed, `${name} imports ${path}`);
      const forbidden = Object.entries(MUST_NOT_IMPORT).find(([light]) => name.startsWith(light))?.[1] ?? [];
      const isHeavy = forbidden.some((heavy) => path.startsWith(`${heavy}/`));
      assert(!isHeavy || importsOnlyTypes(name, path), `${name} imports ${path}`);
    }
  }
});

/** Returns whether a file imports only types from another. */
function importsOnlyTypes(name: string, path: string): boolean {
  const source = readFileSync(`src/${name}`, 'utf8');
  const lines = [...source.matchAll(/^import (type )?[^;]*? from '(\.[^']+)';/gm)];
  return lines
    .filter(([, , to]) => resolvePath(name, to ?? '') === path)
    .every(([, type]) => type !== undefined);
}

test('files stay below 400 lines', () => {
  for (const name of files) {
    const lines = readFileSync(`src/${name}`, 'utf8').split('\n').length;
    assert(lines <= 400 || name.startsWith('generated/'), `${name} has ${lines} lines`);
  }
});
