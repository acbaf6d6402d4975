// Where a link may lead.

/** A link's address if it may be followed, else nothing: no `javascript:` and the like. */
export function safeLink(href: string): string | null {
  try {
    const url = new URL(href.trim());
    return ['http:', 'https:', 'mailto:', 'tel:'].includes(url.protocol) ? href.trim() : null;
  } catch {
    return null;
  }
}
