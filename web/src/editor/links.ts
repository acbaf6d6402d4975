// Where a link may lead: as `is_safe` in `document/src/model/strange.rs` has it, so that what the editor takes can
// be frozen.

const SCHEMES = /^(https?:\/\/.|(mailto|tel):.)/i;
/** Browsers skip controls inside an address, and then read another. */
const CONTROL = /\p{Cc}/u;

/** A link's address if it may be followed, else nothing: no `javascript:` and the like. */
export function safeLink(href: string): string | null {
  const address = href.trim();
  return SCHEMES.test(address) && !CONTROL.test(address) && URL.canParse(address) ? address : null;
}
