import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import canonicalize from 'canonicalize';
import type { Delta } from '../../text/delta';
import { type Block, blocksOf } from './blocks';

interface Case {
  name: string;
  delta: Delta;
  blocks: unknown[];
}

/** Returns a block in the form of the server's own JSON. */
function asServer(block: Block): unknown {
  if (block.kind === 'paragraph') return { paragraph: block.line };
  if (block.kind === 'heading') return { heading: [block.level, block.line] };
  return block.kind === 'quote' ? { quote: block.lines } : { list: block.list };
}

test('a text is parted into blocks as the server parts it', () => {
  const cases = JSON.parse(readFileSync('../tests/data/blocks.json', 'utf8')) as Case[];
  for (const { name, delta, blocks: expect } of cases) {
    assert.deepEqual(blocksOf(delta).map(asServer), expect, name);
  }
});

test('JSON is canonical as the server writes it', () => {
  const cases = JSON.parse(readFileSync('../tests/data/canonical.json', 'utf8')) as {
    json: string;
    canonical: string;
  }[];
  for (const { json, canonical } of cases) assert.equal(canonicalize(JSON.parse(json)), canonical, json);
});
