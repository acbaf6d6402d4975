// Checks that what a browser loads to open a commitment stays within limits: the JavaScript, compressed with gzip,
// and the WebAssembly module, compressed with brotli. The same goes for what the service worker keeps, so that
// commitments open without a network: everything that the page of `/` has not loaded, compressed with brotli. Also
// checks that all these files exist. Needs the folder `dist`, which `npm run build` makes.
import { readdirSync, readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const MAX_SCRIPT_BYTES = 120 * 1024;
const MAX_MODULE_BYTES = 160 * 1024;
const MAX_OFFLINE_BYTES = 270 * 1024;

const assets = new URL('dist/assets/', import.meta.url);
const names = readdirSync(assets);
const read = (name) => readFileSync(new URL(name, assets));

/** Adds to `seen` a script and the scripts that are loaded with it, but not scripts that are loaded on demand. */
function follow(name, seen) {
  if (seen.has(name)) return;
  seen.add(name);
  const source = read(name).toString();
  for (const [, next] of source.matchAll(/(?:from|import)\s*["'`]\.\/([^"'`]+\.js)["'`]/g)) follow(next, seen);
}

const scripts = new Set();
for (const entry of [/^index-.*\.js$/, /^DocumentPage-.*\.js$/]) {
  const name = names.find((one) => entry.test(one));
  if (!name) throw new Error(`dist has no script like ${entry}: run npm run build`);
  follow(name, scripts);
}
const script = [...scripts].reduce((sum, name) => sum + gzipSync(read(name), { level: 9 }).length, 0);
const wasm = brotliCompressSync(read(names.find((name) => name.endsWith('.wasm')))).length;

const list = names.find((name) => /^offline-files-.*\.json$/.test(name));
const page = readFileSync(new URL('../index.html', assets)).toString();
if (!list || !page.includes(`content="/assets/${list}"`)) throw new Error('the page names no list of files');
let offline = 0;
for (const file of JSON.parse(read(list)).needed) {
  const name = file.replace('/assets/', '');
  if (!names.includes(name)) throw new Error(`dist has no file ${file}, which a commitment needs`);
  if (!page.includes(`"${file}"`)) offline += brotliCompressSync(read(name)).length;
}

for (const [what, bytes, most] of [
  ['JavaScript of a commitment', script, MAX_SCRIPT_BYTES],
  ['WebAssembly module', wasm, MAX_MODULE_BYTES],
  ['Kept for work without a network', offline, MAX_OFFLINE_BYTES],
]) {
  console.log(`${what}: ${bytes} of ${most} bytes`);
  if (bytes > most) process.exitCode = 1;
}
