import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TextDiff } from '../../api/client';
import { lineIndexAt, linesOf } from './sentences';

test('an offset of the later text is in the line that holds it, whatever was deleted before', () => {
  const pieces = [
    { insert: 'one\n', fate: 'kept' },
    { insert: 'gone\ngone', fate: 'deleted' },
    { insert: 'two', fate: 'inserted' },
    { insert: '\nthree\n', fate: 'kept' },
  ];
  const lines = linesOf({ target: 'problem', pieces } as unknown as TextDiff);
  const at = (offset: number) => lineIndexAt(lines, offset);
  // The later text is “one”, “two”, “three”. The end of a line belongs to the line.
  assert.deepEqual([0, 3, 4, 7, 8, 13, 99].map(at), [0, 0, 1, 1, 2, 2, 2]);
});
