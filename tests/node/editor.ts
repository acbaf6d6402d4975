// Exports the editor and the WebAssembly client to the tests of the binding, without Svelte components or a page.

export { EditorState, TextSelection } from 'prosemirror-state';
export { EditorView } from 'prosemirror-view';
export { AccordClient, initSync } from '../../web/src/wasm/accord_client';
export { Binding, bindingPlugin } from '../../web/src/editor/binding';
export { caretsPlugin, refreshCarets } from '../../web/src/editor/carets';
export * as commands from '../../web/src/editor/commands';
export { transform } from '../../web/src/text/delta';
export { docFromDelta, TextFollower } from '../../web/src/editor/fromDelta';
export { cleanHtml, plainSlice } from '../../web/src/editor/paste';
export { findPlace, flatLength, toFlatOffset } from '../../web/src/editor/positions';
export { newlineAttributes, safeLink, schema } from '../../web/src/editor/schema';
export { deltasOf } from '../../web/src/editor/toDelta';
