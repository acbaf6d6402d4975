// Who is signed in. Remembered on the device, so that a document can be opened offline as the
// person who last signed in, and as nobody else.

import { ApiError, api, type Person } from '../api/client';

const KEY = 'accord.person';

class Session {
  person = $state<Person | null>(null);
  known = $state(false);
  /** Whether it ended by itself, not by signing out here. */
  ended = $state(false);

  async load(): Promise<void> {
    try {
      this.set((await api.session()).person);
    } catch (error) {
      // Without an answer, the person who was last signed in here may go on offline.
      if (error instanceof ApiError && error.status === 0) this.person = remembered();
      else this.set(null);
    }
    this.known = true;
  }

  /** Takes over the person whom the server has signed in. */
  begin({ person }: { person: Person }): void {
    this.set(person);
    this.ended = false;
  }

  /** The server says that the session has ended. What is on the device stays there. */
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
