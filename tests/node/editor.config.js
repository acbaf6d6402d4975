// The editor's binding as a module for Node, for the tests beside stock editors. It is built over the packages of `web`:
// y-prosemirror brings another copy of ProseMirror, and two copies do not know each other's nodes.
const web = (name) => new URL(`../../web/node_modules/${name}`, import.meta.url).pathname;
const shared = ['model', 'state', 'transform', 'view'].map((name) => `prosemirror-${name}`);

export default {
  input: new URL('editor.ts', import.meta.url).pathname,
  platform: 'node',
  resolve: { alias: Object.fromEntries(shared.map((name) => [name, web(name)])) },
  output: { file: new URL('../../target/editor.mjs', import.meta.url).pathname, format: 'esm' },
};
