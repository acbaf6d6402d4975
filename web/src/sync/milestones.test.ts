import assert from 'node:assert/strict';
import { test } from 'node:test';
import { milestonesToShow } from './milestones';

const milestone = (id: string) => ({ id, order: id, due: '', due_text: '' });
const [a, b, c] = [milestone('a'), milestone('b'), milestone('c')];

test('a milestone that others deleted stays where it was while the caret is in it', () => {
  assert.deepEqual(milestonesToShow([a, c], [a, b, c], 'b'), [a, { ...b, deleted: true }, c]);
  assert.deepEqual(milestonesToShow([a, c], [a, b, c], 'a'), [a, c]);
  assert.deepEqual(milestonesToShow([a, c], [a, b, c], undefined), [a, c]);
});

test('it stays through further changes, and is an ordinary one again when somebody writes in it', () => {
  const held = milestonesToShow([a, c], [a, b, c], 'b');
  assert.deepEqual(milestonesToShow([a], held, 'b'), [a, { ...b, deleted: true }]);
  assert.deepEqual(milestonesToShow([a, b, c], held, 'b'), [a, b, c]);
});
