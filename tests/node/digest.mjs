// Checks that anybody can compute the digest that both sides sign. The script follows docs/protocol.md, section 10, with
// a stock Yjs document, Yjs's own `toDelta` and an RFC 8785 library, and compares its digest with the server's after random
// edits. The only argument is the server's address.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { connect, ticketFor } from './stock.mjs';

const [address] = process.argv.slice(2);
const TEXTS = [
  ...['title', 'brief', 'lead', 'supporting_government', 'supporting_civil_society', 'supporting_other', 'problem', 'causes'],
  ...['done_so_far', 'solution', 'results', 'transparency', 'participation', 'accountability'],
  ...['contact_person', 'contact_title', 'contact_department', 'contact_email'],
];
const BLOCK = ['header', 'list', 'blockquote', 'indent'];
const MARKS = ['bold', 'italic', 'link'];
const EXCLUSIVE = ['header', 'list', 'blockquote'];

/**
 * Returns a text in the form that is signed. Adjacent inserts with equal attributes are joined. Newlines lose marks, and
 * other text loses the attributes of lines. Of the attributes in `EXCLUSIVE`, only the first remains. The last line has a
 * newline.
 */
function normal(text) {
  const out = [];
  const push = (insert, all, without) => {
    const kept = Object.entries(all ?? {}).filter(([name, value]) => !without.includes(name) && value !== null && value !== false);
    const attributes = Object.fromEntries(kept);
    const first = EXCLUSIVE.find((name) => name in attributes);
    for (const name of EXCLUSIVE) if (name !== first) delete attributes[name];
    const last = out.at(-1);
    if (last && canonicalize(last.attributes ?? {}) === canonicalize(attributes)) last.insert += insert;
    else out.push(Object.keys(attributes).length > 0 ? { attributes, insert } : { insert });
  };
  let ended = false;
  for (const { insert, attributes } of text?.toDelta() ?? []) {
    for (const part of insert.match(/\n|[^\n]+/g) ?? []) {
      ended = part === '\n';
      push(part, attributes, ended ? MARKS : BLOCK);
    }
  }
  if (!ended) push('\n', {}, []);
  return out;
}

const hasText = (map) => ['what', 'outputs', 'who'].some((key) => map.get(key)?.toString().replaceAll('\n', '') !== '');

function released(doc, facts) {
  const milestones = [...doc.getMap('milestones').entries()]
    .filter(([, map]) => map.get('removed') === false || hasText(map))
    .map(([id, map]) => ({ id, order: map.get('order') ?? '', map }))
    .sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : a.id < b.id ? -1 : 1));
  return {
    ...facts,
    texts: Object.fromEntries(TEXTS.map((key) => [key, normal(doc.getText(key))])),
    milestones: milestones.map(({ id, map }) => ({
      id,
      what: normal(map.get('what')),
      outputs: normal(map.get('outputs')),
      who: normal(map.get('who')),
      due: map.get('due') ?? '',
      due_text: map.get('due_text') ?? '',
    })),
    facts: doc.getMap('facts').toJSON(),
  };
}

const signIn = await fetch(`http://${address}/api/v1/session`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ demo: 'ana' }),
});
const cookie = signIn.headers.get('set-cookie').split(';')[0];
const path = async () => (await fetch(`http://${address}/api/v1/documents/demo/release`, { headers: { cookie } })).json();
const { doc, provider } = await connect(address, await ticketFor(address, 'ana', 'demo'), 'demo');

let seed = 7;
const random = (limit) => {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return seed % limit;
};
const formats = [
  { bold: true }, { bold: null }, { italic: true }, { italic: false }, { link: 'https://example.org/ä' }, { link: null },
  { header: 2 }, { list: 'bullet' }, { list: 'ordered' }, { blockquote: true }, { indent: 1 }, { header: null, list: null },
];
for (let round = 0; round < 60; round += 1) {
  const text = doc.getText(TEXTS[random(4) + 5]);
  const at = random(Math.max(text.length, 1));
  switch (random(4)) {
    case 0:
      text.insert(at, ['한국어 ', 'ქართული\n', '\u{1f600}', 'é\u0301 ', 'plain\n'][random(5)], formats[random(formats.length)]);
      break;
    case 1:
      text.delete(at, Math.min(random(3), text.length - at));
      break;
    default:
      text.format(at, Math.min(random(9) + 1, text.length - at), formats[random(formats.length)]);
  }
  if (round % 6 !== 5) continue;
  doc.getMap('facts').set('period_to', `2027-12-${10 + random(20)}`);
  // Once the server has received every edit, its digest of the draft must equal the one computed here.
  const end = Date.now() + 20_000;
  for (;;) {
    const { draft, digest } = await path();
    const { document, format, gaps, language, number, template } = draft;
    const own = released(doc, { document, format, gaps, language, number, template });
    if (createHash('sha256').update(canonicalize(own)).digest('hex') === digest) break;
    if (Date.now() > end) assert.deepEqual(own, draft, `round ${round}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
provider.destroy();
process.exit(0);
