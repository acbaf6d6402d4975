// Bundles each of the unit tests beside the code for Node's own test runner. `npm test` runs the bundles.
import { readdirSync } from 'node:fs';

const tests = readdirSync('src', { recursive: true }).filter((name) => name.endsWith('.test.ts'));

export default {
  input: Object.fromEntries(tests.map((name) => [name.replace(/\.ts$/, ''), `src/${name}`])),
  platform: 'node',
  output: {
    dir: '../target/web-tests',
    format: 'esm',
    entryFileNames: '[name].mjs',
    cleanDir: true,
    // Node before version 21 has no `navigator`, from which the catalogues read the reader's languages.
    banner: "globalThis.navigator ??= { languages: ['en'] };",
  },
};
