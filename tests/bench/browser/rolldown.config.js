// Bundles Accord's editor and y-prosemirror into one module, with a single copy of ProseMirror and of Yjs.
const web = (name) => new URL(`../../../web/node_modules/${name}`, import.meta.url).pathname;
const shared = ['model', 'state', 'transform', 'view'].map((name) => `prosemirror-${name}`);

export default {
  input: new URL('editors.js', import.meta.url).pathname,
  platform: 'browser',
  resolve: { alias: Object.fromEntries(shared.map((name) => [name, web(name)])) },
  output: { file: new URL('../../../target/editors.mjs', import.meta.url).pathname, format: 'esm' },
};
