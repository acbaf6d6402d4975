// The addresses of the app: `/`, `/plans/{plan}`, `/documents/{document}`.

export type Route =
  | { page: 'home' }
  | { page: 'plan'; plan: string }
  | { page: 'document'; document: string };

function parse(path: string): Route {
  const [kind, id] = path.split('/').filter(Boolean).map(decodeURIComponent);
  if (kind === 'plans' && id) return { page: 'plan', plan: id };
  if (kind === 'documents' && id) return { page: 'document', document: id };
  return { page: 'home' };
}

class Router {
  route = $state<Route>(parse(location.pathname));

  constructor() {
    addEventListener('popstate', () => {
      this.route = parse(location.pathname);
    });
  }

  go(path: string): void {
    history.pushState(null, '', path);
    this.route = parse(location.pathname);
    scrollTo(0, 0);
  }

  /** Lets links inside the app change the page without loading it again. */
  readonly follow = (event: MouseEvent): void => {
    const link = (event.target as Element | null)?.closest('a');
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || link.origin !== location.origin || link.target || link.hash) return;
    if (link.closest('[contenteditable]')) return;
    event.preventDefault();
    this.go(link.pathname);
  };
}

export const router = new Router();
