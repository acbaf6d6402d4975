// Serves the cross-origin-isolated page with the bundled editors, in which the benchmarks measure.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const at = (path) => readFileSync(new URL(`../../../${path}`, import.meta.url));

/** Starts the server. Returns the address of the page (`base`) and a function that stops the server (`close`). */
export async function servePage() {
  const files = {
    '/editors.mjs': ['text/javascript', at('target/editors.mjs')],
    '/client.wasm': ['application/wasm', at('web/src/wasm/accord_client_bg.wasm')],
    '/': ['text/html', '<!doctype html><style>.ProseMirror{white-space:pre-wrap}</style><body></body>'],
  };
  const server = createServer((request, response) => {
    const [type, body] = files[request.url] ?? ['text/plain', ''];
    response.writeHead(200, {
      'content-type': type,
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    });
    response.end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { base: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}
