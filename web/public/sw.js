// Keeps the app itself on the device, so that the app opens without a network. What people write never
// passes through this service worker: the app stores documents itself, separately for each person.

const CACHE = 'accord-1';
// For each open page, the address of the list of files of its version. It is empty for a page that is not the app.
const OPEN_PAGES = 'accord-open-pages';
// The time from the opening of a page until the service worker begins to keep the newest version.
const DELAY_MS = 3_000;
// The time between two looks at whether a page waits for files of its own.
const PAUSE_MS = 200;

// Number of files that pages wait for. They come before the files that are only fetched to be kept.
let filesUnderWay = 0;
// The promise of the present run of `keepNewest`, if there is one.
let keeping;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

self.addEventListener('install', (event) => {
  event.waitUntil(keepFirstPage().then(() => self.skipWaiting()));
});

// On the first visit, keeps the page of `/` and every file that it names. The app then opens without a network after
// this visit, and `keepNewest` adds what a commitment needs. The page comes last, so that it never names a file that is
// not kept.
async function keepFirstPage() {
  const cache = await caches.open(CACHE);
  if (await cache.match('/')) return;
  const { response, files, list } = await fetchPage();
  for (const file of [list, ...files]) if (!(await cache.match(file))) await cache.add(file);
  await cache.put('/', response);
}

// Returns the page of `/` as the server has it now, the files that it names, and the address of its list of files.
async function fetchPage() {
  const response = await fetch('/', { cache: 'no-cache' });
  if (!response.ok) throw new Error(`the page has status ${response.status}`);
  const html = await response.clone().text();
  const files = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, file]) => file);
  const list = listIn(html);
  if (!list) throw new Error('the page names no list of files');
  return { response, files, list };
}

const listIn = (html) => /name="offline-files" content="([^"]+)"/.exec(html)?.[1] ?? '';

// Begins to keep the newest version, unless this is under way.
function startKeeping() {
  keeping ??= keepNewest()
    .catch(() => undefined)
    .finally(() => {
      keeping = undefined;
    });
  return keeping;
}

// Keeps the newest page of `/` with every file that a commitment needs, also those that the app loads on demand. The
// page comes last: until then the device opens the page that it has, whose files are all kept. If the network
// fails or is poor, the next visit continues. A device whose network is always poor keeps its page for ever, however
// old. Only without a network does it open that page, and an old app is then better than none.
async function keepNewest() {
  await sleep(DELAY_MS);
  const cache = await caches.open(CACHE);
  const { response, files, list } = await fetchPage();
  if (!(await cache.match(list))) await cache.add(list);
  const { needed } = await (await cache.match(list)).json();
  try {
    if (await keepFiles(cache, [...files, ...needed])) await cache.put('/', response);
  } finally {
    await removeOldFiles(cache, list);
  }
}

// Keeps the files. Returns false if the network is too poor for those that are missing.
async function keepFiles(cache, files) {
  for (const file of files) {
    if (await cache.match(file)) continue;
    while (filesUnderWay > 0) await sleep(PAUSE_MS);
    if (isNetworkPoor()) return false;
    await cache.add(new Request(file, { priority: 'low' }));
  }
  return true;
}

// Removes the assets of versions that are no longer in use. In use are the newest version, the one that opens without a
// network, and those of open pages. While a version in use has no list, all assets stay.
async function removeOldFiles(cache, newest) {
  const opens = await (await cache.match('/'))?.text();
  const lists = new Set([newest, listIn(opens ?? ''), ...(await listsOfOpenPages())]);
  const used = new Set(lists);
  for (const list of lists) {
    const kept = list ? await cache.match(list) : undefined;
    if (!kept) return;
    for (const file of (await kept.json()).all) used.add(file);
  }
  for (const request of await cache.keys()) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith('/assets/') && !used.has(pathname)) await cache.delete(request);
  }
}

// Returns the list of files of each open page of the app, and forgets the pages that are closed. The list is
// `undefined` for a page that was opened before this service worker was there.
async function listsOfOpenPages() {
  const cache = await caches.open(OPEN_PAGES);
  const pages = await self.clients.matchAll({ type: 'window' });
  const open = new Set(pages.map(({ id }) => `/${id}`));
  for (const request of await cache.keys()) {
    if (!open.has(new URL(request.url).pathname)) await cache.delete(request);
  }
  const lists = await Promise.all([...open].map(async (id) => (await cache.match(id))?.text()));
  return lists.filter((list) => list !== '');
}

// Notes which version of the app an opened page is.
async function notePage(id, response) {
  const isPage = response.headers.get('content-type')?.startsWith('text/html');
  const list = isPage ? listIn(await response.text()) : '';
  const cache = await caches.open(OPEN_PAGES);
  await cache.put(`/${id}`, new Response(list));
}

// Whether the person asked to save data, or the network is slow. Browsers without this interface do not say.
function isNetworkPoor() {
  const { saveData, effectiveType } = self.navigator.connection ?? {};
  return saveData === true || /2g$/.test(effectiveType ?? '');
}

self.addEventListener('activate', (event) => {
  event.waitUntil(self.clients.claim());
  // Pages wait for an activation, so it does not wait for this.
  startKeeping();
});

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== location.origin) return;
  if (/^\/(api|sync|metrics|healthz|readyz)(\/|$)/.test(url.pathname)) return;
  if (event.request.mode === 'navigate') {
    const response = page(event.request);
    const copy = response.then((answer) => answer.clone());
    event.respondWith(response);
    event.waitUntil(copy.then((answer) => notePage(event.resultingClientId, answer)).catch(() => undefined));
    event.waitUntil(startKeeping());
  } else if (url.pathname.startsWith('/assets/')) event.respondWith(asset(event.request));
});

// Returns the page that is asked for, or without a network the app. The answer itself is not kept, because releases and
// files have addresses of their own, and are not the app.
async function page(request) {
  try {
    return await fetch(request);
  } catch {
    const cache = await caches.open(CACHE);
    return (await cache.match('/')) ?? Response.error();
  }
}

// Returns an asset, from the cache if possible. The name of an asset contains a hash of its content, so a kept
// asset is never stale.
async function asset(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request);
  if (kept) return kept;
  filesUnderWay += 1;
  try {
    const response = await fetch(request);
    // A device without space for the asset still gets it.
    if (response.ok) await cache.put(request, response.clone()).catch(() => undefined);
    return response;
  } finally {
    filesUnderWay -= 1;
  }
}
