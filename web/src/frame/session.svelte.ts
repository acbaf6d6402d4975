// Keeps the person who is signed in. The device remembers them, so that a document can be opened offline as the
// person who last signed in, and as nobody else.

import { ApiError, api, type Person } from '../api/client';

const KEY = 'accord.person';

class Session {
  person = $state<Person | null>(null);
  known = $state(false);
  /** Whether the session ended without signing out on this page. */
  ended = $state(false);

  async load(): Promise<void> {
    try {
      this.set((await api.session()).person);
    } catch (error) {
      // Without an answer from the server, the person who was last signed in here can continue offline.
      if (error instanceof ApiError && error.status === 0) this.person = remembered();
      else this.set(null);
    }
    this.known = true;
  }

  /** Begins the session of the person whom the server has signed in. */
  begin({ person }: { person: Person }): void {
    this.set(person);
    this.ended = false;
  }

  /** Ends the session because the server has ended it. Documents that are kept on the device stay there. */
  end(): void {
    this.ended = this.person !== null;
    this.set(null);
  }

  async signOut(): Promise<void> {
    await api.signOut().catch(() => undefined);
    this.set(null);
  }

  set(person: Person | null): void {
    this.person = person;
    if (person) localStorage.setItem(KEY, JSON.stringify(person));
    else localStorage.removeItem(KEY);
  }
}

function remembered(): Person | null {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? 'null') as Person | null;
  } catch {
    return null;
  }
}

export const session = new Session();
