import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMilestoneTarget } from './target';

test('a milestone’s text names its milestone and its key', () => {
  assert.deepEqual(parseMilestoneTarget('milestones/m1/what'), { id: 'm1', key: 'what' });
  for (const other of ['title', 'milestones', 'milestones/m1', 'milestones//what', 'milestones/m1/']) {
    assert.equal(parseMilestoneTarget(other), undefined, other);
  }
});
