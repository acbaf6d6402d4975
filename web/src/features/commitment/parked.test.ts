import assert from 'node:assert/strict';
import { test } from 'node:test';
import { insertionOf, lacking } from './parked';

test('what was set aside and the text lacks is found, and brought back where it was', () => {
  const pieces = lacking('One two four.', 'One two three four. Five.');
  assert.deepEqual(
    pieces.map(({ text }) => text.trim()),
    ['three', 'Five.'],
  );
  const delta = insertionOf(pieces);
  assert.equal(delta.filter((op) => 'insert' in op).length, 2);
  assert.deepEqual(lacking('the same', 'the same'), []);
});
