// Finds the page that a path names, and the values that the path gives to it.

export type Route =
  | { page: 'home' }
  | { page: 'plan'; plan: string }
  | { page: 'people'; plan: string }
  | { page: 'audit'; plan?: string }
  | { page: 'document'; document: string }
  | { page: 'history'; document: string }
  | { page: 'release'; document: string }
  | { page: 'verify' }
  | { page: 'link'; secret: string }
  | { page: 'invitation'; secret: string }
  | { page: 'account' }
  | { page: 'administration' };

export function parseRoute(path: string): Route {
  const [kind, id, part] = path.split('/').filter(Boolean).map(decodePart);
  if (kind === 'plans' && id) {
    if (part === 'people') return { page: 'people', plan: id };
    if (part === 'record') return { page: 'audit', plan: id };
    return { page: 'plan', plan: id };
  }
  if (kind === 'documents' && id) {
    if (part === 'history' || part === 'release') return { page: part, document: id };
    return { page: 'document', document: id };
  }
  if (kind === 'links' && id) return { page: 'link', secret: id };
  if (kind === 'invitations' && id) return { page: 'invitation', secret: id };
  if (kind === 'verify') return { page: 'verify' };
  if (kind === 'account') return { page: 'account' };
  if (kind === 'administration') return id === 'record' ? { page: 'audit' } : { page: 'administration' };
  return { page: 'home' };
}

/** Decodes the percent-encoding in a part of a path. Returns the part unchanged if it does not encode UTF-8. */
function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
