import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Delta, DeltaBuilder, insertsNewline, transform, transformOffset } from './delta';

/** Returns a text after a change. */
function applied(text: string, delta: Delta): string {
  let out = '';
  let rest = text;
  for (const op of delta) {
    if ('insert' in op) out += op.insert;
    else {
      const count = 'retain' in op ? op.retain : op.delete;
      if ('retain' in op) out += rest.slice(0, count);
      rest = rest.slice(count);
    }
  }
  return out + rest;
}

test('two edits moved past each other give one text, whichever came first', () => {
  const edits: Delta[] = [
    [{ insert: 'start ' }],
    [{ retain: 3 }, { delete: 4 }],
    [{ retain: 3 }, { insert: 'XY' }],
    [{ delete: 10 }],
    [{ retain: 5 }, { insert: 'Z' }, { delete: 2 }],
    [{ retain: 10 }, { insert: ' end' }],
  ];
  for (const a of edits) {
    for (const b of edits) {
      const ab = applied(applied('0123456789', a), transform(a, b, true));
      const ba = applied(applied('0123456789', b), transform(b, a, false));
      assert.equal(ab, ba, JSON.stringify([a, b]));
    }
  }
});

test('of two insertions at one place, the one that goes first stands first', () => {
  const [a, b]: Delta[] = [[{ insert: 'a' }], [{ insert: 'b' }]];
  assert.equal(applied(applied('', a as Delta), transform(a as Delta, b as Delta, true)), 'ab');
  assert.equal(applied(applied('', a as Delta), transform(a as Delta, b as Delta, false)), 'ba');
});

test('a change of attributes is moved past an insertion and keeps its characters', () => {
  const bold: Delta = [{ retain: 2 }, { retain: 3, attributes: { bold: true } }];
  assert.deepEqual(transform([{ insert: '\u{1f600}' }], bold, true), [
    { retain: 4 },
    { retain: 3, attributes: { bold: true } },
  ]);
});

test('a place keeps standing before what follows it', () => {
  assert.equal(transformOffset(5, [{ insert: 'ab' }]), 7);
  assert.equal(transformOffset(5, [{ retain: 5 }, { insert: 'ab' }]), 7);
  assert.equal(transformOffset(5, [{ retain: 6 }, { insert: 'ab' }]), 5);
  assert.equal(transformOffset(5, [{ retain: 3 }, { delete: 10 }]), 3);
});

test('a Delta under construction joins neighbours and drops what changes nothing', () => {
  const delta = new DeltaBuilder().retain(2).retain(1).insert('').insert('x').delete(1).delete(2).retain(9);
  assert.deepEqual(delta.build(), [{ retain: 3 }, { insert: 'x' }, { delete: 3 }]);
});

test('half of a character outside the basic plane is replaced, a whole one stays', () => {
  assert.deepEqual(new DeltaBuilder().insert('a\ud83d').insert('\u{1f600}').build(), [
    { insert: 'a\ufffd' },
    { insert: '\u{1f600}' },
  ]);
});

test('only an insertion ends a line', () => {
  assert(insertsNewline([{ retain: 1 }, { insert: 'a\nb' }]));
  assert(!insertsNewline([{ insert: 'ab' }, { delete: 3 }, { insert: { picture: '\n' } }]));
});
