// Keeps the route of the page that is shown, and changes it without loading the app again.

import { followedPath } from './followedLink';
import { parseRoute, type Route } from './route';

class Router {
  route = $state<Route>(parseRoute(location.pathname));

  constructor() {
    addEventListener('popstate', () => {
      this.route = parseRoute(location.pathname);
    });
  }

  go(path: string): void {
    history.pushState(null, '', path);
    this.showRoute();
  }

  /**
   * Goes to a page, which replaces the current page in the browser's history. Must be used to leave pages that work only
   * once, such as the page of an invitation, so that going back skips them.
   */
  replace(path: string): void {
    history.replaceState(null, '', path);
    this.showRoute();
  }

  private showRoute(): void {
    this.route = parseRoute(location.pathname);
    scrollTo(0, 0);
  }

  /** Handles clicks on links inside the app, so that they change the page without loading the app again. */
  readonly followLink = (event: MouseEvent): void => {
    const link = (event.target as Element | null)?.closest('a');
    const path = followedPath(event, link, location.origin);
    if (path === undefined) return;
    event.preventDefault();
    this.go(path);
  };
}

export const router = new Router();
