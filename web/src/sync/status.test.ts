import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEBOUNCE_MS, type SaveStatus, StatusDebouncer, statusOf } from './status';

test('only a live link without unsaved edits is saved', () => {
  const of = (link: Parameters<typeof statusOf>[0]['link'], unsaved: boolean) => statusOf({ link, unsaved });
  assert.deepEqual(of({ link: 'live' }, false), { state: 'saved' });
  assert.deepEqual(of({ link: 'live' }, true), { state: 'saving' });
  assert.deepEqual(of({ link: 'syncing' }, false), { state: 'opening' });
  assert.deepEqual(of({ link: 'syncing' }, true), { state: 'saving' });
  assert.deepEqual(of({ link: 'offline', reason: null }, true), {
    state: 'offline',
    unsaved: true,
    reason: null,
  });
  assert.deepEqual(of({ link: 'denied', code: 4403, reason: 'No.' }, true), {
    state: 'denied',
    code: 4403,
    reason: 'No.',
  });
});

test('“Saved” waits for a pause, and every other news is shown at once', async () => {
  const shown: SaveStatus[] = [];
  const debouncer = new StatusDebouncer((status) => shown.push(status));
  debouncer.show({ state: 'saving' }, { state: 'saved' });
  debouncer.show({ state: 'saving' }, { state: 'saving' });
  assert.deepEqual(shown, []);
  debouncer.show({ state: 'saving' }, { state: 'offline', unsaved: true, reason: null });
  assert.deepEqual(shown.splice(0), [{ state: 'offline', unsaved: true, reason: null }]);
  debouncer.show({ state: 'saving' }, { state: 'saved' });
  await new Promise((resolve) => setTimeout(resolve, 2 * DEBOUNCE_MS));
  assert.deepEqual(shown, [{ state: 'saved' }]);
});
