// Decides where links may lead. The rules are those of `document/src/readable/address.rs`, so that a text with links that the
// editor accepts can be released. `tests/data/links.json` tests both.

/** Matches spaces, control characters, invisible characters, code points that are no characters, and marks that cover others. */
const HIDING =
  /[\s\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\p{Me}\\\u2800\ufffc\u{13441}\u{13442}\u{1d159}\u{1da7f}\u{1da80}]|\p{M}{9}/u;
/** Matches an address of the web, and captures the part between the scheme and the path. */
const WEB = /^https?:\/\/([^/?#]+)/i;
/** Matches a `mailto:` link to one e-mail address. */
const MAIL = /^mailto:[^@?]+@[^@?]+(\?|$)/i;
/** Matches further recipients in a `mailto:` link, which would not appear beside it. An encoded name could hide one. */
const RECIPIENTS = /[?&](?:(?:to|cc|bcc)(?:[=&]|$)|[^=&]*%)/i;
/** Matches a `tel:` link to a telephone number. */
const NUMBER = /^tel:[-+.()*#]*\d[-+.()*#\d]*(;|$)/i;

const trimmed = (address: string) => address.replace(/^ +| +$/g, '');

/** Returns what a link leads to: the host, in ASCII if it is internationalised, or the e-mail address or telephone number. */
export function leadsTo(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  return url?.host || (url?.pathname ?? '');
}

/** Returns whether a link is safe: to the web, an e-mail address or a telephone number, with no user name and nothing hidden. */
export function isSafe(link: string): boolean {
  const address = trimmed(link);
  if (HIDING.test(address)) return false;
  const [, authority] = WEB.exec(address) ?? [];
  if (authority) {
    const plain = URL.canParse(address) && /^[\w.:[\]-]+$/.test(new URL(address).host);
    return plain && !authority.includes('@');
  }
  const isMail = MAIL.test(address) && !RECIPIENTS.test(address);
  return /^[!-~]+$/.test(address) && (isMail || NUMBER.test(address));
}

/** Returns the address of a safe link, or `null`. If needed, the address is put into ASCII, in which nothing is hidden. */
export function safeLink(href: string): string | null {
  const address = href.trim();
  if (isSafe(address)) return address;
  const ascii = URL.canParse(address) ? new URL(address).href : '';
  return isSafe(ascii) ? ascii : null;
}
