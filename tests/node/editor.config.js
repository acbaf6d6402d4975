// The editor's binding as a module for Node, for the tests beside stock editors. Its packages are those of `web/`.
export default {
  input: '../tests/node/editor.ts',
  platform: 'node',
  resolve: { modules: ['node_modules'] },
  output: { file: '../target/editor.mjs', format: 'esm' },
};
