// The editor's binding as a module for Node, for the tests beside stock editors.
export default {
  input: 'src/editor/index.ts',
  platform: 'node',
  output: { file: '../target/editor.mjs', format: 'esm' },
};
