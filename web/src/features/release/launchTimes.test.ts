import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTimeInZone, ownTimeZone, toLocalInput } from './launchTimes';

const NOON = Date.UTC(2027, 4, 1, 12);

test('a time is said in the zone that is asked for', () => {
  assert.match(formatTimeInZone(NOON, 'Asia/Seoul'), /Saturday.*9:00/);
  assert.match(formatTimeInZone(NOON, 'UTC', 'long'), /May 1, 2027.*12:00/);
});

test('a zone that this browser does not know is read as UTC, and says so', () => {
  assert.match(formatTimeInZone(NOON, 'Nowhere/Land'), /12:00.*UTC$/);
});

test('a field of date and time gives back the minute that it was given', () => {
  const field = toLocalInput(NOON + 59_000);
  assert.equal(new Date(field).getTime(), NOON);
  assert(ownTimeZone().length > 0);
});
