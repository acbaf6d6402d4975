// The messages that every page uses. Pages that need more messages import another file of this folder.

export { hasMessage, type MessageKey, t } from './catalogue';
export { formatDateTime, formatRelativeTime, listFormat } from './time';
