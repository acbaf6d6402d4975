import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { destinationOf, isSafeLink, safeLink } from './links';

interface Link {
  address: string;
  safe: boolean;
  host?: string;
}

test('links are judged as the server judges them', () => {
  for (const { address, safe, host } of JSON.parse(
    readFileSync('../tests/data/links.json', 'utf8'),
  ) as Link[]) {
    assert.equal(isSafeLink(address), safe, JSON.stringify(address));
    if (safe && host) assert.equal(destinationOf(address.trim()), host, address);
  }
});

test('a link that was typed is kept as it is looked up, or not at all', () => {
  assert.equal(safeLink('https://a b'), null);
  assert.equal(safeLink('https://exa\u00admple.org/a b'), 'https://example.org/a%20b');
  assert.equal(safeLink(' mailto:ana@example.org '), 'mailto:ana@example.org');
  assert.equal(safeLink('javascript:alert(1)'), null);
});
