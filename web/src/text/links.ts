// Decides where links may lead. The rules are those of `document/src/readable/address.rs`, so that a text with links that the
// editor accepts can be released. `tests/data/links.json` tests both.

/**
 * Matches what could hide where a link leads: spaces, control characters, invisible characters, code points that are no
 * characters, backslashes, enclosing marks, and more than eight marks in a row.
 */
const HIDING_CHARACTER =
  /[\s\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\p{Me}\\\u2800\ufffc\u{13441}\u{13442}\u{1d159}\u{1da7f}\u{1da80}]|\p{M}{9}/u;
/** Matches an address of the web, and captures the part between the scheme and the path. */
const WEB_LINK = /^https?:\/\/([^/?#]+)/i;
/** Matches a `mailto:` link to one e-mail address. */
const MAIL_LINK = /^mailto:[^@?]+@[^@?]+(\?|$)/i;
/**
 * Matches further recipients in a `mailto:` link, because the page shows only the first recipient beside the link. Also
 * matches encoded names of parameters, because such a name could hide a recipient.
 */
const FURTHER_RECIPIENT = /[?&](?:(?:to|cc|bcc)(?:[=&]|$)|[^=&]*%)/i;
/** Matches a `tel:` link to a telephone number. */
const TELEPHONE_LINK = /^tel:[-+.()*#]*\d[-+.()*#\d]*(;|$)/i;

const trimSpaces = (address: string) => address.replace(/^ +| +$/g, '');

/** Returns what a link leads to: the host, in ASCII if it is internationalised, or the e-mail address or telephone number. */
export function destinationOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  return url?.host || (url?.pathname ?? '');
}

/** Returns whether a link is safe: to the web, an e-mail address or a telephone number, with no user name and nothing hidden. */
export function isSafeLink(link: string): boolean {
  const address = trimSpaces(link);
  if (HIDING_CHARACTER.test(address)) return false;
  const [, authority] = WEB_LINK.exec(address) ?? [];
  if (authority) {
    const isPlainHost = URL.canParse(address) && /^[\w.:[\]-]+$/.test(new URL(address).host);
    return isPlainHost && !authority.includes('@');
  }
  const isMail = MAIL_LINK.test(address) && !FURTHER_RECIPIENT.test(address);
  return /^[!-~]+$/.test(address) && (isMail || TELEPHONE_LINK.test(address));
}

/** Returns the address of a safe link, or `null`. If needed, the address is put into ASCII, in which nothing is hidden. */
export function safeLink(href: string): string | null {
  const address = href.trim();
  if (isSafeLink(address)) return address;
  const ascii = URL.canParse(address) ? new URL(address).href : '';
  return isSafeLink(ascii) ? ascii : null;
}
