// Tries more than two hundred ways to make a page run code that somebody wrote into a document or a name: through a stock
// client's text and attributes, through paste, through imports, and through every free text of the API. On every page that
// shows such text, no code runs and no markup appears, although the content security policy is switched off.
import assert from 'node:assert/strict';
import * as Y from 'yjs';
import { sleep, story, until } from './browser.mjs';
import { connect, ticketFor } from './stock.mjs';

const CALL = 'xss(1)';
const TAGS = ['img src=x', 'svg', 'video src=x', 'audio src=x', 'body', 'details open', 'input autofocus', 'marquee', 'iframe src=x', 'select autofocus', 'style', 'object data=x'];
const HANDLERS = ['onerror', 'onload', 'onfocus', 'ontoggle', 'onstart', 'onmouseover', 'onanimationstart', 'onloadstart', 'onpageshow', 'onclick', 'onpointerenter', 'onbegin'];
const MARKUP = [
  ...TAGS.flatMap((tag) => HANDLERS.map((handler) => `<${tag} ${handler}="${CALL}">`)),
  ...HANDLERS.map((handler) => `"><svg/${handler}=${CALL}//`),
  ...HANDLERS.map((handler) => `' ${handler}='${CALL}' autofocus='`),
  `<script>${CALL}</script>`, `</script><script>${CALL}</script>`, `<scr<script>ipt>${CALL}</scr</script>ipt>`,
  `<SCRIPT/XSS SRC="data:text/javascript,${CALL}"></SCRIPT>`, `</title><script>${CALL}</script>`, `</style><script>${CALL}</script>`,
  `</textarea><script>${CALL}</script>`, `<!--><script>${CALL}</script>`, `]]><script>${CALL}</script>`, `<svg><script>${CALL}</script></svg>`,
  `<math><mtext><table><mglyph><style><img src=x onerror=${CALL}>`, `<noscript><p title="</noscript><img src=x onerror=${CALL}>">`,
  `<template><script>${CALL}</script></template>`, `<iframe srcdoc="<script>parent.${CALL}</script>">`, `<iframe src="javascript:parent.${CALL}">`,
  `<a href="javascript:${CALL}">x</a>`, `<form action="javascript:${CALL}"><button>x</button></form>`, `<button formaction="javascript:${CALL}">x</button>`,
  `<meta http-equiv="refresh" content="0;url=javascript:${CALL}">`, `<base href="javascript:/x/">`, `<link rel=stylesheet href="javascript:${CALL}">`,
  `<object data="javascript:${CALL}">`, `<embed src="javascript:${CALL}">`, `<svg><animate onbegin=${CALL} attributeName=x dur=1s>`,
  `<svg><a xlink:href="javascript:${CALL}"><text y=20>x</text></a></svg>`, `<svg><use href="data:image/svg+xml,<svg onload=${CALL}>">`,
  `<div style="background:url(javascript:${CALL})">x</div>`, `<x contenteditable onblur=${CALL} autofocus>`, `{{constructor.constructor('${CALL}')()}}`,
  `\${${CALL}}`, `<%= ${CALL} %>`, `{@html "<img src=x onerror=${CALL}>"}`, `[x](javascript:${CALL})`, `![x](x" onerror="${CALL})`, `<javascript:${CALL}>`,
  `&lt;script&gt;${CALL}&lt;/script&gt;`, `\u003cscript\u003e${CALL}\u003c/script\u003e`, `%3Cscript%3E${CALL}%3C/script%3E`, `+ADw-script+AD4-${CALL}+ADw-/script+AD4-`,
];
const ADDRESSES = [
  'javascript:', 'JaVaScRiPt:', ' javascript:', '\tjavascript:', 'java\tscript:', 'java\nscript:', 'javascript\t:', '\u0001javascript:', 'javascript://example.org/%0a',
  'javascript://https://example.org/\n', 'vbscript:', 'data:text/html,<script>', 'data:text/html;base64,PHNjcmlwdD4', 'blob:https://example.org/', 'filesystem:https://example.org/',
  'view-source:javascript:', 'feed:javascript:', 'jar:javascript:', 'livescript:', 'mocha:', 'about:blank#', 'file:///etc/passwd#', 'ws://example.org/', '//example.org/', '/\\example.org/',
  'http:javascript:', 'https:\\\\example.org\\', 'mailto:', 'x" onclick="', "x' onmouseover='",
].map((scheme) => `${scheme}${CALL}`);
assert.ok(MARKUP.length + ADDRESSES.length >= 200, `${MARKUP.length + ADDRESSES.length} vectors`);
const SAFE = new Set(['http:', 'https:', 'mailto:', 'tel:', 'blob:']);

/** Lists everything on a page that ran as code, or that could run. */
async function harm(page) {
  const found = await page.evaluate((safe) => {
    const bad = [...(globalThis.ran ?? []).map((what) => `ran: ${what}`)];
    for (const element of document.querySelectorAll('*')) {
      for (const { name, value } of element.attributes) {
        if (/^on/i.test(name) || name === 'srcdoc') bad.push(`${element.nodeName} has ${name}=${value}`);
        if (['href', 'src', 'action', 'formaction', 'data', 'xlink:href'].includes(name)) {
          const url = new URL(value, document.baseURI);
          if (!safe.includes(url.protocol)) bad.push(`${element.nodeName} leads to ${value}`);
        }
      }
      if (['IFRAME', 'OBJECT', 'EMBED', 'BASE', 'MARQUEE', 'VIDEO', 'AUDIO', 'MATH', 'TEMPLATE'].includes(element.nodeName)) bad.push(`there is a ${element.nodeName}`);
      if (element.nodeName === 'SCRIPT' && !element.src.startsWith(location.origin)) bad.push(`a script: ${element.outerHTML.slice(0, 80)}`);
    }
    return bad;
  }, [...SAFE]);
  return found;
}

/** Sends to every element of the page the events that could start code, without leaving the page. */
async function poke(page) {
  await page.evaluate(() => {
    for (const element of document.querySelectorAll('main *')) {
      for (const type of ['mouseover', 'pointerenter', 'focus', 'toggle', 'animationstart', 'error', 'load']) element.dispatchEvent(new Event(type));
    }
  });
  await sleep(150);
}

await story(async ({ person, newcomer, server }) => {
  const watched = { context: { bypassCSP: true } };
  const fay = await person('fay', { document: null, ...watched });
  const watch = async ({ page }) => {
    await page.context().addInitScript(() => {
      globalThis.ran = [];
      globalThis.xss = (what) => globalThis.ran.push(what ?? 'xss');
      for (const name of ['alert', 'prompt', 'confirm']) globalThis[name] = () => globalThis.ran.push(name);
    });
  };
  await watch(fay);
  const api = (method, path, body) =>
    fay.page.evaluate(
      async ([method, path, body]) => {
        const answer = await fetch(`/api/v1${path}`, { method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
        return answer.status === 204 ? {} : answer.json();
      },
      [method, path, body],
    );
  await fay.page.goto(server.base);
  const worst = `"><img src=x onerror=${CALL}>`;
  const { id } = await api('POST', '/plans/demo/documents', { title: `</title><script>${CALL}</script>${worst}` });

  // A stock client stores the attacks as text, as links, and as attributes and values that no editor writes.
  const { doc, provider, closes } = await connect(server.address, await ticketFor(server.address, 'ben', id), id);
  doc.transact(() => {
    const text = doc.getText('problem');
    for (const markup of MARKUP) {
      text.insert(text.length - 1, markup.replaceAll('\n', ' '));
      text.insert(text.length - 1, '\n', { list: MARKUP.indexOf(markup) % 3 === 0 ? 'bullet' : null });
    }
    for (const key of ['brief', 'lead', 'contact_email', 'results']) doc.getText(key).insert(0, worst);
    for (const id of [`m${worst}`, 'm1']) {
      const milestone = new Y.Map();
      doc.getMap('milestones').set(id, milestone);
      for (const key of ['what', 'outputs', 'who']) milestone.set(key, new Y.Text(`${worst}\n`));
      for (const [key, value] of Object.entries({ order: 'a', due: '', due_text: worst, removed: false })) milestone.set(key, value);
    }
  });
  const strange = doc.getText('causes');
  doc.transact(() => {
    for (const address of ADDRESSES) strange.insert(strange.length - 1, 'link ', { link: address });
    for (const [index, markup] of MARKUP.entries()) strange.insert(strange.length - 1, 'x', { [markup]: markup, header: index % 7 === 0 ? markup : null });
    strange.insertEmbed(0, { image: worst, html: worst, [worst]: worst });
    doc.getText(worst).insert(0, worst);
    doc.getMap('facts').set('period_from', worst);
  });
  provider.awareness.setLocalState({ user: { name: worst, color: `red;background:url(javascript:${CALL})`, sector: worst }, cursor: null, [worst]: worst });
  await until('the server has it', async () => {
    const content = await api('GET', `/documents/${id}/content`);
    return JSON.stringify(content.causes ?? '').includes('vbscript') && JSON.stringify(content.problem).includes('+ADw-');
  });
  assert.deepEqual(closes, []);

  // The attacks go into every free text of the API.
  await api('POST', `/documents/${id}/versions`, { name: worst.slice(0, 120), description: worst });
  await api('PATCH', '/account', { name: `Fay ${worst}` });
  await api('PATCH', '/plans/demo', { title: `Plan ${worst}` });

  const seen = async (person, what) => {
    await poke(person.page);
    assert.deepEqual(await harm(person.page), [], what);
  };
  const at = async (person, path, ready) => {
    await person.page.goto(`${server.base}${path}`);
    await person.page.locator(ready).first().waitFor();
    await seen(person, path);
  };
  await at(fay, `/documents/${id}`, '[data-target=causes]');
  assert.ok((await fay.text('problem')).includes(`<script>${CALL}</script>`), 'it is shown as what it is: text');

  // Each attack is pasted separately, as HTML from another page.
  for (const html of [...MARKUP, ...ADDRESSES.map((address) => `<a href="${address.replaceAll('"', '&quot;')}">link</a>`)]) {
    await fay.field('solution').evaluate((field, html) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/html', `<p>p${html}q</p>`);
      clipboardData.setData('text/plain', 'x');
      field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    }, html);
  }
  await fay.saved();
  await seen(fay, 'after all was pasted');
  const { solution } = await api('GET', `/documents/${id}/content`);
  for (const { attributes } of solution) {
    const link = attributes?.link;
    assert.ok(!link || ['http:', 'https:', 'mailto:', 'tel:'].includes(new URL(link).protocol), `pasted: ${link}`);
  }

  // The attacks are imported: in a Markdown file that somebody chooses, and in the Word and Markdown files that Accord makes
  // of the document.
  const inside = (address) => address.replaceAll(/[<>\n]/g, encodeURIComponent);
  const markdown = [
    `# ${worst}`,
    ...MARKUP.map((markup, index) => ['', '## ', '- ', '> ', '| a | b |\n|---|---|\n| '][index % 5] + markup),
    ...ADDRESSES.map((address) => `[link](<${inside(address)}>) ![image](<${inside(address)}>)`),
    ...ADDRESSES.map((address, index) => `[here][${index}]\n\n[${index}]: <${inside(address)}>`),
  ].join('\n\n');
  await fay.page.goto(`${server.base}/plans/demo`);
  await fay.page.getByRole('button', { name: 'Import a draft' }).click();
  await fay.page.locator('input[type=file]').setInputFiles({ name: `${worst}.md`, mimeType: 'text/markdown', buffer: Buffer.from(markdown) });
  await fay.page.getByRole('button', { name: 'Import', exact: true }).click();
  await fay.page.getByRole('link', { name: 'Open the commitment' }).waitFor();
  await seen(fay, 'brought in');
  const bring = (name, kind) =>
    fay.page.evaluate(
      async ([id, name, kind]) => {
        const file = await (await fetch(`/api/v1/documents/${id}/draft/${kind}`)).blob();
        const answer = await fetch(`/api/v1/plans/demo/imports?name=${name}`, { method: 'POST', body: file });
        return (await answer.json()).id;
      },
      [id, name, kind],
    );
  const brought = [await fay.page.getByRole('link', { name: 'Open the commitment' }).getAttribute('href')];
  for (const [name, kind] of [['a.docx', 'docx'], ['a.md', 'md']]) brought.push(`/documents/${await bring(name, kind)}`);
  for (const [index, path] of brought.entries()) {
    const document = path.split('/').at(-1);
    await at(fay, path, index === 0 ? '[data-target=notes]' : '[data-target=problem]');
    await at(fay, `${path}/release`, 'h1');
    const said = await api('GET', `/documents/${document}/content`);
    for (const { attributes } of Object.values(said).flat()) {
      const link = attributes?.link;
      assert.ok(!link || ['http:', 'https:', 'mailto:', 'tel:'].includes(new URL(link).protocol), `brought in: ${link}`);
    }
    // The HTML file of the draft is opened as a saved file, outside Accord's pages.
    const html = await fay.page.evaluate(async (document) => (await fetch(`/api/v1/documents/${document}/draft/html`)).text(), document);
    await fay.page.setContent(html);
    await seen(fay, `the file of ${path}`);
    await fay.page.goto(server.base);
  }

  await at(fay, `/documents/${id}/history?from=1&to=9999`, '.prose, [data-text], main p');
  for (const view of await fay.page.getByRole('radio').all()) {
    await view.check({ force: true }).catch(() => undefined);
    await seen(fay, 'history, another view');
  }
  await at(fay, `/api/v1/documents/${id}/record?format=html`, 'h1');
  await at(fay, '/plans/demo', 'h3 a');
  await at(fay, '/plans/demo/people', 'h1');
  await at(fay, '/plans/demo/record', 'h1');
  await at(fay, `/documents/${id}/release`, 'h1');
  await fay.page.getByText('This can’t be proposed yet').waitFor();

  // The unreleasable content is removed. The rest is plain text, and can be signed and shown to everybody.
  doc.transact(() => {
    strange.delete(0, strange.length - 1);
    doc.getText(worst).delete(0, worst.length);
    doc.getMap('facts').set('period_from', '2027-01-01');
    // The milestone with an attack in its id can't be signed. The same words under the plain id can.
    const unnamed = doc.getMap('milestones').get(`m${worst}`);
    for (const key of ['what', 'outputs', 'who']) unnamed.get(key).delete(0, worst.length);
    unnamed.set('removed', true);
  });
  // Only the last line of `causes` is left. Its formatting is removed as well. Safe links in the other fields remain.
  strange.format(0, strange.length, Object.fromEntries(MARKUP.map((markup) => [markup, null])));
  strange.format(0, strange.length, { header: null, link: null });
  await until('nothing is strange', async () => {
    const { strange } = await api('GET', `/documents/${id}/release`);
    return strange.length === 0 || strange.slice(0, 3);
  });
  const { digest } = await api('GET', `/documents/${id}/release`);
  const { seq } = await api('POST', `/documents/${id}/proposals`, { digest, message: worst });
  const ben = await person('ben', { document: null, ...watched });
  await watch(ben);
  const sign = (who) =>
    who.page.evaluate(
      async ([id, seq, digest]) => {
        const answer = await fetch(`/api/v1/documents/${id}/proposals/${seq}/signature`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ digest }) });
        return answer.status;
      },
      [id, seq, digest],
    );
  const ana = await person('ana', { document: null, ...watched });
  assert.deepEqual([await sign(ana), await sign(ben)], [200, 200]);
  await at(ben, `/documents/${id}/release`, 'article');
  await api('POST', '/plans/demo/launches', { documents: [id], zone: 'UTC' });
  const nobody = await newcomer('nobody', watched);
  await watch(nobody);
  for (const path of [`/r/${id}`, `/r/${id}/1`, `/r/${id}/compare/1/1`, '/p/demo']) await at(nobody, path, 'h1');
  const file = Buffer.from(await (await fetch(`${server.base}/r/${id}/1/release.json`)).arrayBuffer());
  await nobody.page.goto(`${server.base}/verify`);
  await nobody.page.locator('input[type=file]').setInputFiles({ name: 'release.json', mimeType: 'application/json', buffer: file });
  await nobody.page.getByText('This is a genuine release').waitFor();
  await seen(nobody, 'verify');
  // A hostile file can't make the page run its content, and is not verified.
  const hostile = { release: { texts: { title: [{ insert: worst }] }, number: worst }, note: `accord-release/1\n${worst}\n\n— ${worst} x\n`, key: worst };
  await nobody.page.locator('input[type=file]').setInputFiles({ name: `${worst}.json`, mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(hostile)) });
  await nobody.page.getByText('Don’t trust this file').waitFor();
  await seen(nobody, 'a hostile file');
  provider.destroy();
});
