import assert from 'node:assert/strict';
import { test } from 'node:test';
import { followedPath } from './followedLink';

const ORIGIN = 'https://accord.example.org';
const CLICK = { button: 0, metaKey: false, ctrlKey: false, shiftKey: false, altKey: false };

/** Returns a link to an address. A link in a text is editable while the person may write there. */
function linkTo(address: string, { isContentEditable = false, target = '' } = {}) {
  const { origin, pathname, search, hash } = new URL(address, ORIGIN);
  return { origin, pathname, search, hash, target, isContentEditable };
}

test('a link inside the app changes the page without loading the app again', () => {
  assert.equal(followedPath(CLICK, linkTo('/plans/p1'), ORIGIN), '/plans/p1');
  const moments = '/documents/d1/history?from=1&to=2';
  assert.equal(followedPath(CLICK, linkTo(moments), ORIGIN), moments);
});

test('a link in a text is followed if the person can only read the text', () => {
  const address = `${ORIGIN}/documents/d1`;
  assert.equal(followedPath(CLICK, linkTo(address), ORIGIN), '/documents/d1');
  assert.equal(followedPath(CLICK, linkTo(address, { isContentEditable: true }), ORIGIN), undefined);
});

test('the browser follows every other link', () => {
  for (const address of [
    'https://example.org/plans/p1',
    '/api/v1/plans',
    '/r/d1/1',
    '/p/p1',
    '/plans/p1#documents',
  ]) {
    assert.equal(followedPath(CLICK, linkTo(address), ORIGIN), undefined, address);
  }
  assert.equal(followedPath(CLICK, linkTo('/plans/p1', { target: '_blank' }), ORIGIN), undefined);
  assert.equal(followedPath({ ...CLICK, ctrlKey: true }, linkTo('/plans/p1'), ORIGIN), undefined);
  assert.equal(followedPath({ ...CLICK, button: 1 }, linkTo('/plans/p1'), ORIGIN), undefined);
  assert.equal(followedPath(CLICK, null, ORIGIN), undefined);
});
