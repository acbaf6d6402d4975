// Checks that a browser and an unmodified yjs client can edit the same text.
import assert from 'node:assert/strict';
import { story, until } from './browser.mjs';
import { connect, ticketFor } from './stock.mjs';

await story(async ({ person, server }) => {
  const ana = await person('ana');
  const stock = await connect(server.address, await ticketFor(server.address, 'ben', 'demo'), 'demo');
  const text = stock.doc.getText('causes');
  text.insert(0, 'From a stock client. ');
  await until('Ana sees it', async () => (await ana.text('causes')).startsWith('From a stock client. '));
  await ana.caret('causes', 0, -1);
  await ana.type(' From the browser.');
  await until('the stock client has it', () => text.toString().includes(' From the browser.'));
  // The editor keeps embedded values and attributes that its schema does not know.
  text.insertEmbed(0, { image: 'unknown' });
  text.format(1, 4, { comment: 'kept' });
  await until('shown as opaque', async () => (await ana.field('causes').locator('.opaque').count()) === 1);
  await ana.caret('causes', 0, -1);
  await ana.type(' More.');
  await until('typed on', () => text.toString().includes(' More.'));
  const delta = text.toDelta();
  assert.deepEqual(delta[0], { insert: { image: 'unknown' } });
  assert.deepEqual(delta[1], { insert: 'From', attributes: { comment: 'kept' } });
  assert.deepEqual(stock.closes, []);
  assert.deepEqual(ana.errors, []);
});
