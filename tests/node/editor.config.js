// Builds the editor's binding as a module for Node, for the tests that run it beside stock editors. ProseMirror comes from the
// packages of `web`: y-prosemirror brings a second copy of ProseMirror, and neither copy recognises the nodes of the other.
const web = (name) => new URL(`../../web/node_modules/${name}`, import.meta.url).pathname;
const shared = ['model', 'state', 'transform', 'view'].map((name) => `prosemirror-${name}`);

export default {
  input: new URL('editor.ts', import.meta.url).pathname,
  platform: 'node',
  resolve: { alias: Object.fromEntries(shared.map((name) => [name, web(name)])) },
  output: { file: new URL('../../target/editor.mjs', import.meta.url).pathname, format: 'esm' },
};
