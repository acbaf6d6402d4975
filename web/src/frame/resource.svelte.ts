// Data of the server that a page shows: fetched, kept fresh, and changed.

import { ApiError, saying } from '../api/client';
import { t } from '../messages';
import { session } from './session.svelte';

export class Resource<T> {
  value = $state<T>();
  /** Why there is nothing to show. */
  failure = $state<ApiError>();
  /** Why the last change did not work. */
  error = $state('');
  /** What the last change did, in words. */
  told = $state('');

  constructor(private readonly fetch: () => Promise<T>) {
    void this.load();
  }

  async load(): Promise<void> {
    try {
      this.value = await this.fetch();
      this.failure = undefined;
    } catch (caught) {
      const failure = caught instanceof ApiError ? caught : new ApiError(0, '');
      if (failure.status === 401) session.end();
      // What is shown already is still the best there is while the server can't be reached.
      else if (failure.status !== 0 || this.value === undefined) this.failure = failure;
    }
  }

  /** Fetches again every so many milliseconds, until what it gives is called. For `onMount`. */
  readonly every = (ms: number): (() => void) => {
    const timer = setInterval(() => void this.load(), ms);
    return () => clearInterval(timer);
  };

  /** Does something, then fetches again. Says whether it worked. */
  async attempt(what: () => Promise<unknown>, done = ''): Promise<boolean> {
    this.error = '';
    this.told = '';
    try {
      await what();
      this.told = done;
    } catch (caught) {
      this.error = saying(caught, t('app.failed'));
    }
    await this.load();
    return this.error === '';
  }
}
