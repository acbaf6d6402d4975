// Keeps the person who is signed in. The device remembers them, so that a document can be opened offline as the
// person who last signed in, and as nobody else.

import { ApiError, api, type Person } from '../api/client';

const STORAGE_KEY = 'accord.person';

class Session {
  person = $state<Person | null>(null);
  isLoaded = $state(false);
  /** Whether the session has ended although nobody signed out on this page. */
  hasEnded = $state(false);

  async load(): Promise<void> {
    try {
      this.setPerson((await api.session()).person);
    } catch (error) {
      // Without an answer from the server, the person who was last signed in here can continue offline.
      if (error instanceof ApiError && error.status === 0) this.person = readStoredPerson();
      else this.setPerson(null);
    }
    this.isLoaded = true;
  }

  /** Begins the session of the person whom the server has signed in. */
  begin({ person }: { person: Person }): void {
    this.setPerson(person);
    this.hasEnded = false;
  }

  /** Ends the session on this page, after the server has ended it. Documents that are kept on the device stay there. */
  end(): void {
    this.hasEnded = this.person !== null;
    this.setPerson(null);
  }

  async signOut(): Promise<void> {
    await api.signOut().catch(() => undefined);
    this.setPerson(null);
  }

  setPerson(person: Person | null): void {
    this.person = person;
    if (person) localStorage.setItem(STORAGE_KEY, JSON.stringify(person));
    else localStorage.removeItem(STORAGE_KEY);
  }
}

function readStoredPerson(): Person | null {
  try {
    return JSON.parse(localStorage.getItem(STORAGE_KEY) ?? 'null') as Person | null;
  } catch {
    return null;
  }
}

export const session = new Session();
