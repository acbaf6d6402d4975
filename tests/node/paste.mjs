// Pastes from Word, Google Docs, a web page and plain text with real paste events. The document on the server must then
// have only the formatting that a commitment can have: headings, lists, quotes, marks and safe links.
import assert from 'node:assert/strict';
import { story, until } from './browser.mjs';

const WORD = `<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:w="urn:schemas-microsoft-com:office:word">
<head><meta name=Generator content="Microsoft Word 15"><style><!-- p.MsoNormal {margin:0cm; font-size:11.0pt;} --></style></head>
<body lang=EN-GB><!--StartFragment-->
<h1>What we found<o:p></o:p></h1>
<p class=MsoNormal><span lang=EN-US style='font-size:12.0pt'>Contracts are <b style='mso-bidi-font-weight:normal'>not</b> published<o:p></o:p></span></p>
<p class=MsoListParagraphCxSpFirst style='text-indent:-18.0pt;mso-list:l0 level1 lfo1'><![if !supportLists]><span style='font-family:Symbol'><span style='mso-list:Ignore'>·<span style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp;&nbsp; </span></span></span><![endif]>First point<o:p></o:p></p>
<p class=MsoListParagraphCxSpLast style='text-indent:-18.0pt;mso-list:l0 level2 lfo1'><![if !supportLists]><span style='mso-list:Ignore'>o<span style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp; </span></span><![endif]>Under it<o:p></o:p></p>
<p class=MsoListParagraph style='mso-list:l1 level1 lfo2'><span style='mso-list:Ignore'>1.<span>&nbsp;&nbsp;</span></span>Numbered</p>
<!--EndFragment--></body></html>`;

const DOCS = `<meta charset="utf-8"><b style="font-weight:normal;" id="docs-internal-guid-1"><p dir="ltr"><span style="font-weight:700;">Bold</span><span style="font-weight:400;"> and </span><span style="font-style:italic;">italic</span></p><ul><li dir="ltr" aria-level="1"><p dir="ltr" role="presentation"><span>One</span></p></li><ul><li dir="ltr" aria-level="2"><p dir="ltr" role="presentation"><span>Nested</span></p></li></ul></ul></b>`;

const WEB = `<div><h2>Title</h2><script>alert(1)</script><p onclick="alert(1)">See <a href="https://example.org/a">the law</a> or <a href="javascript:alert(1)">this</a>.<img src=x onerror="alert(1)"></p>
<table><tr><th>Year</th><th>Contracts</th></tr><tr><td>2025</td><td>412</td></tr></table><blockquote><p>Quoted 한글 😀</p></blockquote></div>`;

await story(async ({ person }) => {
  const ana = await person('ana', { document: null });
  const document = await ana.page.evaluate(async () => {
    const body = JSON.stringify({ title: 'Pasted' });
    const answer = await fetch('/api/v1/plans/demo/documents', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return (await answer.json()).id;
  });
  await ana.open(document);

  const paste = async (target, html, text) => {
    await ana.field(target).focus();
    await ana.field(target).evaluate(
      (field, [html, text]) => {
        const clipboardData = new DataTransfer();
        if (html) clipboardData.setData('text/html', html);
        clipboardData.setData('text/plain', text);
        field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
      },
      [html, text],
    );
    await until('it arrived', async () => (await ana.text(target)).length > 0);
    await ana.saved();
    return ana.page.evaluate(async ([id, target]) => (await (await fetch(`/api/v1/documents/${id}/content`)).json())[target], [document, target]);
  };
  const plain = (insert) => ({ insert });
  const bullet = (indent) => ({ insert: '\n', attributes: { ...(indent && { indent }), list: 'bullet' } });

  assert.deepEqual(await paste('problem', WORD, 'What we found'), [
    plain('What we found'),
    { insert: '\n', attributes: { header: 1 } },
    plain('Contracts are '),
    { insert: 'not', attributes: { bold: true } },
    plain(' published\nFirst point'),
    bullet(),
    plain('Under it'),
    bullet(1),
    plain('Numbered'),
    { insert: '\n', attributes: { list: 'ordered' } },
  ]);
  assert.deepEqual(await paste('causes', DOCS, 'Bold and italic'), [
    { insert: 'Bold', attributes: { bold: true } },
    plain(' and '),
    { insert: 'italic', attributes: { italic: true } },
    plain('\nOne'),
    bullet(),
    plain('Nested'),
    bullet(1),
  ]);
  assert.deepEqual(await paste('solution', WEB, 'Title'), [
    plain('Title'),
    { insert: '\n', attributes: { header: 1 } },
    plain('See '),
    { insert: 'the law', attributes: { link: 'https://example.org/a' } },
    plain(' or this.\nYear · Contracts\n2025 · 412\nQuoted 한글 😀'),
    { insert: '\n', attributes: { blockquote: true } },
  ]);
  assert.deepEqual(await paste('results', '', 'one\r\ntwo\n\nthree'), [plain('one\ntwo\n\nthree\n')]);
  // A paste into the middle of a paragraph leaves the paragraph unformatted. A paste over the whole text replaces it.
  await ana.caret('results', 0, 1);
  assert.deepEqual(await paste('results', '<h2>Head</h2><ul><li>item</li></ul>', 'Head'), [
    plain('oHead\nitemne\ntwo\n\nthree\n'),
  ]);
  await ana.press('Control+a');
  assert.deepEqual(await paste('results', '<ul><li>item</li></ul>', 'item'), [plain('item'), bullet()]);
  // A field with a single line keeps its single line, and accepts no formatting.
  assert.deepEqual(await paste('lead', '<b>Ministry</b><p>of Finance</p>', 'Ministry\nof Finance'), [plain('Ministry of Finance\n')]);
  // One undo removes the whole paste.
  await ana.press('Control+z');
  await until('undone', async () => (await ana.text('lead')) === '' || ana.text('lead'));
  assert.deepEqual(ana.errors, []);
});
