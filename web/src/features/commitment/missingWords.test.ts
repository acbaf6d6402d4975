import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMissingWords, insertionOf } from './missingWords';

test('what was set aside and the text lacks is found, and brought back where it was', () => {
  const pieces = findMissingWords('One two four.', 'One two three four. Five.');
  assert.deepEqual(
    pieces.map(({ text }) => text.trim()),
    ['three', 'Five.'],
  );
  const delta = insertionOf(pieces);
  assert.equal(delta.filter((op) => 'insert' in op).length, 2);
  assert.deepEqual(findMissingWords('the same', 'the same'), []);
});
