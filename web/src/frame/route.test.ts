import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRoute } from './route';

test('an address names its page', () => {
  const pages = {
    '/': { page: 'home' },
    '/plans/p1': { page: 'plan', plan: 'p1' },
    '/plans/p1/people': { page: 'people', plan: 'p1' },
    '/plans/p1/record': { page: 'audit', plan: 'p1' },
    '/plans/p1/else': { page: 'plan', plan: 'p1' },
    '/documents/d%201': { page: 'document', document: 'd 1' },
    '/documents/d1/history': { page: 'history', document: 'd1' },
    '/documents/d1/release': { page: 'release', document: 'd1' },
    '/links/s': { page: 'link', secret: 's' },
    '/invitations/s': { page: 'invitation', secret: 's' },
    '/verify': { page: 'verify' },
    '/account': { page: 'account' },
    '/administration': { page: 'administration' },
    '/administration/record': { page: 'audit' },
    '/nowhere': { page: 'home' },
    '/plans': { page: 'home' },
  };
  for (const [path, page] of Object.entries(pages)) assert.deepEqual(parseRoute(path), page, path);
});

test('a percent sign that encodes nothing is taken as it is', () => {
  assert.deepEqual(parseRoute('/documents/100%'), { page: 'document', document: '100%' });
});
