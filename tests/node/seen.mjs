// Checks in a browser that people sign only what they can see. Pasted text is cleaned, with a notice. Hidden characters
// from elsewhere are listed on the release page, with a link to each place and a button that cleans the text. Beside each
// link, the page shows the host or address that it leads to.
import assert from 'node:assert/strict';
import { story, until } from './browser.mjs';
import { lookAtAll } from './look.mjs';

await story(async ({ person }) => {
  const ana = await person('ana', { document: null });
  const document = await ana.page.evaluate(async () => {
    const body = JSON.stringify({ title: 'Seen' });
    const answer = await fetch('/api/v1/plans/demo/documents', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return (await answer.json()).id;
  });
  await ana.open(document);
  const text = async (key) => {
    const content = await ana.page.evaluate(async (id) => (await fetch(`/api/v1/documents/${id}/content`)).json(), document);
    return content[key].map(({ insert }) => insert).join('');
  };
  const says = (key, expect) =>
    until(`${key} says ${expect}`, async () => {
      const said = await text(key);
      return said === expect || said;
    });
  const paste = async (target, html, plain) => {
    await ana.field(target).focus();
    await ana.field(target).evaluate(
      (field, [html, plain]) => {
        const clipboardData = new DataTransfer();
        if (html) clipboardData.setData('text/html', html);
        clipboardData.setData('text/plain', plain);
        field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
      },
      [html, plain],
    );
  };
  const note = ana.page.getByText('Invisible characters were left out.');

  // A Persian word keeps its zero width non-joiner, although the joiner is formatted differently from the letters
  // around it. Emoji keep their joiners.
  const html = '<p>con&shy;tracts <b>می</b><i>\u200c</i>شود \u202e<b>90</b>\u202c percent of 10 👨‍👩‍👧</p>';
  await paste('problem', html, 'x');
  await says('problem', 'contracts می\u200cشود 90 percent of 10 👨‍👩‍👧\n');
  await note.first().waitFor();
  await paste('causes', '', 'soft\u00ad hyphen\u200b and\u2028line');
  await says('causes', 'soft hyphen and line\n');
  await ana.field('results').focus();
  await ana.page.keyboard.insertText('typed\u202e marks');
  await says('results', 'typed marks\n');

  // The editor accepts these two invisible characters when they are typed, and a link whose text names another host.
  await ana.field('solution').focus();
  await ana.page.keyboard.insertText('Publish all\u{e0100} con\u200btracts.');
  await paste('brief', '<p>See <a href="https://xn--pple-43d.com/x">https://apple.com</a> and <a href="mailto:ana@example.org">write <b>to</b> us</a>.</p>', 'x');
  await ana.saved();
  await says('solution', 'Publish all\u{e0100} con\u200btracts.\n');

  const fay = await person('fay', { document: null });
  const release = `${new URL(ana.page.url()).origin}/documents/${document}/release`;
  await fay.page.goto(release);
  await fay.page.getByText('zero width space (U+200B), which is invisible').waitFor();
  await fay.page.getByText('variation selector (U+E0100), which is invisible').waitFor();
  const hosts = fay.page.locator('.read .host');
  assert.deepEqual(await hosts.allTextContents(), ['leads to xn--pple-43d.com', 'leads to ana@example.org']);
  await lookAtAll(fay.page, 'seen-findings');
  assert.equal(await fay.page.getByRole('button', { name: 'Propose release 1' }).isDisabled(), true);

  const link = fay.page.getByRole('link', { name: /Go to this place.*U\+200B/ });
  assert.equal(new URL(await link.getAttribute('href'), release).hash, '#solution');
  await ana.page.goto(release);
  await ana.page.goto(`${new URL(release).origin}/documents/${document}#solution`);
  await until('the text is in focus', () => ana.page.evaluate(() => globalThis.document.activeElement?.getAttribute('data-target') === 'solution'));

  await fay.page.getByRole('button', { name: 'Clean the text' }).click();
  await fay.page.getByText('The text is clean.').last().waitFor();
  await says('solution', 'Publish all contracts.\n');
  await ana.page.getByText('Publish all contracts.').waitFor();
  await fay.page.getByRole('button', { name: 'Propose release 1' }).click();
  await fay.page.getByRole('dialog').getByRole('button', { name: 'Propose release 1' }).click();
  await fay.page.getByRole('heading', { name: 'Proposed for release 1' }).waitFor();
  await lookAtAll(fay.page, 'seen-proposed');
});
