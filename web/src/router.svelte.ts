// The addresses of the app.

export type Route =
  | { page: 'home' }
  | { page: 'plan'; plan: string }
  | { page: 'people'; plan: string }
  | { page: 'record'; plan?: string }
  | { page: 'document'; document: string }
  | { page: 'history'; document: string }
  | { page: 'release'; document: string }
  | { page: 'verify' }
  | { page: 'link'; secret: string }
  | { page: 'invitation'; secret: string }
  | { page: 'account' }
  | { page: 'administration' };

function parse(path: string): Route {
  const [kind, id, part] = path.split('/').filter(Boolean).map(decoded);
  if (kind === 'plans' && id) {
    if (part === 'people') return { page: 'people', plan: id };
    if (part === 'record') return { page: 'record', plan: id };
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
  if (kind === 'administration') return id === 'record' ? { page: 'record' } : { page: 'administration' };
  return { page: 'home' };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
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
    this.arrive();
  }

  /** Goes where going back does not lead to the page that was left: it is used up. */
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
    // What the server shows by itself, it shows alone.
    if (link.closest('[contenteditable]') || /^\/(api|r|p)\//.test(link.pathname)) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  };
}

export const router = new Router();
