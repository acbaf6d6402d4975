// The page that is shown, and going to another without loading the app again.

import { parse, type Route } from './route';

class Router {
  route = $state<Route>(parse(location.pathname));

  constructor() {
    addEventListener('popstate', () => {
      this.route = parse(location.pathname);
    });
  }

  go(path: string): void {
    history.pushState(null, '', path);
    this.arrive();
  }

  /** Goes to a page in place of the one shown, for pages that work only once: going back skips them. */
  replace(path: string): void {
    history.replaceState(null, '', path);
    this.arrive();
  }

  private arrive(): void {
    this.route = parse(location.pathname);
    scrollTo(0, 0);
  }

  /** Lets links inside the app change the page without loading it again. */
  readonly follow = (event: MouseEvent): void => {
    const link = (event.target as Element | null)?.closest('a');
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || link.origin !== location.origin || link.target || link.hash) return;
    // The server renders these pages itself, so the browser loads them.
    if (link.closest('[contenteditable]') || /^\/(api|r|p)\//.test(link.pathname)) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  };
}

export const router = new Router();
