// What tests of the binding use: the editor without a page around it.

export { EditorState, TextSelection } from 'prosemirror-state';
export { EditorView } from 'prosemirror-view';
export { AccordClient, initSync } from '../wasm/accord_client';
export { Binding, bindingPlugin } from './binding';
export { caretsPlugin, refreshCarets } from './carets';
export * as commands from './commands';
export { transform } from './delta';
export { documentOf, Follower } from './fromDelta';
export { cleanHtml, plainSlice } from './paste';
export { flatLength, toFlat, toPlace } from './positions';
export { newlineAttributes, safeLink, schema } from './schema';
export { deltasOf } from './toDelta';
