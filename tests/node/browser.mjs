// Runs stories, which are tests in a real browser. Each story has a server of its own, and each person in it has a
// browser context of their own.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { chromium } from 'playwright-core';

const BUILT = new URL('../../target/debug/accord', import.meta.url).pathname;

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launch() {
  return chromium.launch({ executablePath: process.env.ACCORD_CHROMIUM ?? '/usr/bin/chromium', args: ARGS });
}

/** A server process with its data folder. `stop` kills the process, and `start` starts a new one on the same port. */
class Server {
  constructor(data, demo) {
    this.data = data;
    this.port = 0;
    this.demo = demo;
  }

  async start(options = []) {
    const args = ['serve', ...(this.demo ? ['--demo'] : []), ...options, '--data', this.data, '--listen', `127.0.0.1:${this.port}`];
    this.child = spawn(process.env.ACCORD_BIN ?? BUILT, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.log = '';
    this.port = await new Promise((resolve, reject) => {
      this.child.stderr.on('data', (chunk) => {
        this.log += chunk;
        const found = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(this.log);
        if (found) resolve(Number(found[1]));
      });
      this.child.once('exit', () => reject(new Error(`the server ended: ${this.log}`)));
    });
    for (;;) {
      const ready = await fetch(`${this.base}/readyz`).catch(() => undefined);
      if (ready?.ok) return;
      await sleep(20);
    }
  }

  get base() {
    return `http://127.0.0.1:${this.port}`;
  }

  get address() {
    return `127.0.0.1:${this.port}`;
  }

  async stop(signal = 'SIGKILL') {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.removeAllListeners('exit');
    const done = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill(signal);
    await Promise.race([ended, done]);
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Waits until `condition` returns or resolves to `true`. After `limit` milliseconds, throws an error that contains the last
 * other value that it returned.
 */
export async function until(what, condition, limit = 15_000) {
  const end = Date.now() + limit;
  for (;;) {
    const seen = await condition();
    if (seen === true) return;
    if (Date.now() > end) throw new Error(`${what}: not within ${limit} ms; last seen: ${JSON.stringify(seen)}`);
    await sleep(25);
  }
}

/**
 * Runs a story with a new server and browser, then exits the process: with 0 if the story passed, with 1 if it failed.
 * The server's data folder is `data`, or else a new, empty folder that is deleted afterwards.
 */
export async function story(tell, { demo = true, data: given } = {}) {
  const data = given ?? mkdtempSync(join(tmpdir(), 'accord-'));
  const server = new Server(data, demo);
  const browser = await launch();
  const people = [];
  let outcome = 0;
  try {
    await server.start();
    await tell({
      server,
      browser,
      person: (name, options) => enter(server, browser, people, name, options),
      newcomer: (name, options) => visit(server, browser, people, name, options),
    });
  } catch (error) {
    outcome = 1;
    for (const person of people) console.error(await person.lastSeen());
    console.error(error);
    // The last line names the script and the error, because some logs keep only their last lines.
    console.error(`${basename(process.argv[1])}: ${error.message}`);
  }
  await browser.close();
  await server.stop();
  if (!given) rmSync(data, { recursive: true, force: true });
  process.exit(outcome);
}

/** Creates a person with a new, empty page. `context` is an existing browser context, or the options of a new one. */
async function visit(server, browser, people, name, { context: options = {}, context } = {}) {
  const own = context?.newPage ? context : await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
  const page = await own.newPage();
  const person = new Person(server, own, page, name);
  people.push(person);
  page.on('pageerror', (error) => person.errors.push(error.message));
  return person;
}

/** Creates a demo person, signs them in, and opens the commitment `document`. With `null`, no commitment is opened. */
async function enter(server, browser, people, name, { document = 'demo', ...options } = {}) {
  const person = await visit(server, browser, people, name, options);
  const { page } = person;
  await page.goto(server.base);
  await page.click(`[data-demo=${name}]`);
  await page.waitForSelector('h3 a');
  if (document) await person.open(document);
  return person;
}

class Person {
  errors = [];

  constructor(server, context, page, name) {
    Object.assign(this, { server, context, page, name });
  }

  async open(document) {
    await this.page.goto(`${this.server.base}/documents/${document}`);
    await this.page.waitForSelector('[data-target=problem]');
    await this.saved();
  }

  field(target) {
    return this.page.locator(`[data-target="${target}"]`);
  }

  /** Returns the lines of a text as the page shows them, without the carets of other people. */
  lines(target) {
    return this.field(target).evaluate((field) =>
      [...field.children].map((line) => {
        const copy = line.cloneNode(true);
        for (const caret of copy.querySelectorAll('.caret, .ProseMirror-trailingBreak, img')) caret.remove();
        return copy.textContent;
      }),
    );
  }

  async text(target) {
    return (await this.lines(target)).join('\n');
  }

  /** Returns the name of the HTML element of each line, in lower case. */
  kinds(target) {
    return this.field(target).evaluate((field) => [...field.children].map((line) => line.nodeName.toLowerCase()));
  }

  /**
   * Puts the caret into line number `line`, after `offset` UTF-16 code units. Lines count from 0. Negative numbers
   * count from the end: line -1 is the last line, and offset -1 is the end of the line.
   */
  async caret(target, line = 0, offset = 0) {
    await this.field(target).focus();
    // After a focus, the browser itself puts the caret at the start of the text. ProseMirror replaces the first such caret
    // by the one in its own state. This pause lets that happen first. Otherwise the caret that is set below could be replaced.
    await this.pause(30);
    await this.field(target).evaluate(
      (field, [line, offset]) => {
        const element = field.children[line < 0 ? field.children.length + line : line];
        const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT, (node) =>
          node.parentElement.closest('.caret') ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT,
        );
        const nodes = [];
        for (let node = walker.nextNode(); node; node = walker.nextNode()) nodes.push(node);
        const total = nodes.reduce((sum, node) => sum + node.length, 0);
        let left = offset < 0 ? total + 1 + offset : offset;
        const selection = getSelection();
        for (const node of nodes) {
          if (left <= node.length) {
            selection.collapse(node, left);
            return;
          }
          left -= node.length;
        }
        selection.collapse(element.querySelector('li, p') ?? element, 0);
      },
      [line, offset],
    );
    await this.pause(30);
  }

  /** Extends the selection forward by `length` characters. */
  async select(length) {
    await this.page.evaluate((length) => {
      for (let n = 0; n < length; n += 1) getSelection().modify('extend', 'forward', 'character');
    }, length);
    await this.pause(30);
  }

  /**
   * Waits for `ms` milliseconds by the timer of the page. Unlike `sleep`, this also waits until a busy page has handled
   * the events and timers that were due before.
   */
  pause(ms) {
    return this.page.evaluate((ms) => new Promise((resolve) => setTimeout(resolve, ms)), ms);
  }

  type(text, delay = 0) {
    return this.page.keyboard.type(text, { delay });
  }

  press(keys) {
    return this.page.keyboard.press(keys);
  }

  status() {
    return this.page.locator('[data-testid=status]').innerText();
  }

  /** Describes the page for the log of a failed story: its address, whether it still responds and draws, and a screenshot. */
  async lastSeen() {
    const { page, name } = this;
    const shot = join(tmpdir(), `accord-failed-${name}.png`);
    const within = (work) => Promise.race([work.catch((error) => error.message), sleep(5_000).then(() => 'no answer')]);
    const state = await within(page.evaluate(() => `${document.readyState}, fonts ${document.fonts.status}, ${document.visibilityState}`));
    const frame = await within(page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => resolve('drawn')))));
    const picture = await within(page.screenshot({ path: shot }).then(() => shot));
    return `${name} at ${page.url()}: ${state}; frame: ${frame}; picture: ${picture}`;
  }

  saved() {
    return until(`${this.name}: saved`, async () => {
      const status = await this.status().catch((error) => error.message);
      return status.includes('Saved on the server') || status;
    });
  }
}

/** Waits until all pages show the same text in a field, and returns that text. */
export async function agree(target, ...people) {
  let seen;
  await until(`all agree on ${target}`, async () => {
    seen = await Promise.all(people.map((person) => person.text(target)));
    return seen.every((text) => text === seen[0]) || seen;
  });
  return seen[0];
}
