// Keeps the app itself on the device, so that the app opens without a network. What people write never
// passes through this service worker: the app stores documents itself, separately for each person.

const CACHE = 'accord-1';

self.addEventListener('install', (event) => {
  event.waitUntil(keepPage().then(() => self.skipWaiting()));
});

// Stores the page of `/` and every file that it names. The app then opens without a network after a single visit. The
// page is stored last, so that it never names a file that is not stored.
async function keepPage() {
  const cache = await caches.open(CACHE);
  const response = await fetch('/', { cache: 'no-cache' });
  if (!response.ok) return;
  const html = await response.clone().text();
  for (const [, file] of html.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
    if (!(await cache.match(file))) await cache.add(file);
  }
  await cache.put('/', response);
}

self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== location.origin) return;
  if (/^\/(api|sync|metrics|healthz|readyz)(\/|$)/.test(url.pathname)) return;
  if (event.request.mode === 'navigate') {
    event.respondWith(page(event.request));
    event.waitUntil(keepPage().catch(() => undefined));
  } else if (url.pathname.startsWith('/assets/')) event.respondWith(asset(event.request));
});

// Returns the page that is asked for, or without a network the app. The answer itself is not stored, because releases and
// files have addresses of their own, and are not the app.
async function page(request) {
  try {
    return await fetch(request);
  } catch {
    const cache = await caches.open(CACHE);
    return (await cache.match('/')) ?? Response.error();
  }
}

// Returns an asset, from the cache if possible. The name of an asset contains a hash of its content, so a
// stored asset is never stale.
async function asset(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request);
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok) await cache.put(request, response.clone());
  return response;
}
