// Checks the editor's rules for links and for invisible characters against the corpora that also check the server's rules.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const ts = createRequire(new URL('../../web/package.json', import.meta.url))('typescript');
const data = (name) => JSON.parse(readFileSync(new URL(`../data/${name}`, import.meta.url), 'utf8'));
async function module(name) {
  const source = readFileSync(new URL(`../../web/src/${name}`, import.meta.url), 'utf8');
  const options = { module: ts.ModuleKind.ES2022, target: ts.ScriptTarget.ES2022 };
  const { outputText } = ts.transpileModule(source, { compilerOptions: options });
  return import(`data:text/javascript;base64,${Buffer.from(outputText).toString('base64')}`);
}

const { isSafeLink, destinationOf, safeLink } = await module('text/links.ts');
for (const { address, safe, host } of data('links.json')) {
  assert.equal(isSafeLink(address), safe, JSON.stringify(address));
  if (safe && host) assert.equal(destinationOf(address.trim()), host, address);
}
assert.equal(destinationOf('mailto:ana@example.org?subject=Open'), 'ana@example.org');
assert.equal(destinationOf('tel:112'), '112');
assert.equal(safeLink('https://exa\u00admple.org/a b'), 'https://example.org/a%20b');
assert.equal(safeLink('https://ana@example.org/'), null);
assert.equal(safeLink('javascript:alert(1)'), null);

const { cleanText } = await module('editor/clean.ts');
for (const { language, text } of data('readable/innocent.json')) assert.equal(cleanText(text), text, language);
const left = [];
for (const { attack, text, cleaned } of data('readable/attacks.json')) {
  // The editor turns line endings into newlines before it calls `cleanText`.
  if (cleaned !== undefined && cleanText(text.replace(/\r\n?/g, '\n')) !== cleaned) left.push(attack);
}
// These attacks are left to the server, because JavaScript lacks the Unicode properties that they need. The carriage
// return is in the list because it is a line ending for the editor.
const LEFT = ['a carriage return', 'unassigned', 'noncharacters', 'hieroglyphs\' format in Latin', 'an invisible stacker in Latin'];
assert.deepEqual(left, LEFT);
