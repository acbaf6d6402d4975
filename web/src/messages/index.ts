// The messages that every page uses. Pages that need more have a catalogue beside this one.

export { has, type MessageKey, t } from './catalogue';
export { ago, exactly, list } from './time';
