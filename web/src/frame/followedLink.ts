// Decides which clicks on links change the page within the app. The browser handles all other clicks.

type Click = Pick<MouseEvent, 'button' | 'metaKey' | 'ctrlKey' | 'shiftKey' | 'altKey'>;
type Link = Pick<
  HTMLAnchorElement,
  'origin' | 'pathname' | 'search' | 'hash' | 'target' | 'isContentEditable'
>;

/** Returns the path in the app to which a click on a link leads, or `undefined` if the browser must handle the click. */
export function followedPath(
  click: Click,
  link: Link | null | undefined,
  origin: string,
): string | undefined {
  const plain = click.button === 0 && !click.metaKey && !click.ctrlKey && !click.shiftKey && !click.altKey;
  if (!link || !plain || link.origin !== origin || link.target || link.hash) return undefined;
  // While a text can be edited, a click on a link in it only places the caret. In a text that the person can only read, the
  // click follows the link.
  if (link.isContentEditable) return undefined;
  // The server itself answers addresses below these paths, so the browser loads them.
  if (/^\/(api|r|p)\//.test(link.pathname)) return undefined;
  return link.pathname + link.search;
}
