// Where a link may lead: as `document/src/readable/address.rs` has it, so that what the editor takes can be frozen.
// `tests/data/links.json` holds both.

/** Spaces, controls, what is not seen, what is no character, and marks that cover others. */
const HIDING =
  /[\s\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\p{Me}\\\u2800\ufffc\u{13441}\u{13442}\u{1d159}\u{1da7f}\u{1da80}]|\p{M}{9}/u;
/** The web, with what comes before the path; an e-mail address; a telephone number. */
const WEB = /^https?:\/\/([^/?#]+)/i;
const MAIL = /^mailto:[^@?]+@[^@?]+(\?|$)/i;
/** Further recipients, which would not be seen beside the link. */
const RECIPIENTS = /[?&](?:(?:to|cc|bcc)(?:[=&]|$)|[^=&]*%)/i;
const NUMBER = /^tel:[-+.()*#]*\d[-+.()*#\d]*(;|$)/i;

const trimmed = (address: string) => address.replace(/^ +| +$/g, '');

/** What a link leads to, as it is looked up: a host, the internationalised in ASCII, or an address or number. */
export function leadsTo(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  return url?.host || (url?.pathname ?? '');
}

/** Whether a link may be followed: no `javascript:` and the like, no user's name, nothing hidden. */
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

/** A link's address if it may be followed, where need be in ASCII, so that what was hidden in it is seen; else nothing. */
export function safeLink(href: string): string | null {
  const address = href.trim();
  if (isSafe(address)) return address;
  const ascii = URL.canParse(address) ? new URL(address).href : '';
  return isSafe(ascii) ? ascii : null;
}
