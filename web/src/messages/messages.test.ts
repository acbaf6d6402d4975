import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCatalogue, fillPlaceholders } from './catalogue';
import { en } from './en';
import { files } from './files.en';
import { COUNTED, catalogues } from './history';
import { history } from './history.en';
import { formatDateTime, formatRelativeTime, listFormat } from './index';
import { management } from './management.en';
import { release } from './release.en';

test('a message takes its values, and shows what it lacks', () => {
  assert.equal(fillPlaceholders('{name} wrote {when}', { name: 'Ana', when: 0 }), 'Ana wrote 0');
  assert.equal(fillPlaceholders('{name}', {}), '{name}');
});

test('a catalogue knows the messages of every page and its own', () => {
  const { t, hasMessage } = createCatalogue({ en: { 'own.word': 'own {n}' } });
  assert.equal(t('own.word', { n: 1 }), 'own 1');
  assert.equal(t('app.save'), 'Save');
  assert(hasMessage('own.word') && hasMessage('app.save') && !hasMessage('own.else'));
});

/** Returns the keys that a catalogue lacks: one for each plural category of its language, for each message with a count. */
function missingPlurals(language: string, messages: Record<string, string>): string[] {
  const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
  const needed = COUNTED.flatMap((key) => pluralCategories.map((category) => `${key}.${category}`));
  return needed.filter((key) => !(key in messages));
}

test('each catalogue has the plural forms of its language', () => {
  for (const [language, messages] of Object.entries(catalogues)) {
    assert.deepEqual(missingPlurals(language, messages), [], language);
  }
  const polish = ['history.count.few', 'history.count.many', 'sitting.chars.few', 'sitting.chars.many'];
  assert.deepEqual(missingPlurals('pl', history).sort(), polish);
});

test('no catalogue hides a message of another', () => {
  const extra = [files, history, release, management];
  const keys = [en, ...extra].flatMap((messages) => Object.keys(messages));
  assert.deepEqual(
    keys.filter((key, index) => keys.indexOf(key) !== index),
    [],
  );
});

test('sentences use the words of the product', () => {
  for (const [key, message] of [en, files, history, release, management].flatMap((all) =>
    Object.entries(all),
  )) {
    const words = message.replace(/\{\w+\}/g, '');
    assert(!/\b(seats?|sits for|sittings?|whoever|bring in|told)\b/i.test(words), `${key}: ${message}`);
  }
});

test('times are said as people say them', () => {
  assert.equal(formatRelativeTime(Date.now() - 20_000), 'just now');
  assert.equal(formatRelativeTime(Date.now() - 2 * 3_600_000), '2 hours ago');
  assert.equal(formatRelativeTime(Date.now() + 3 * 86_400_000), 'in 3 days');
  assert.equal(formatDateTime(60_000), formatDateTime(119_999));
  assert(formatDateTime(60_000) !== formatDateTime(120_000));
  assert.equal(listFormat.format(['Ana', 'Ben', 'Fay']), 'Ana, Ben, and Fay');
});
