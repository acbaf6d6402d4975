// Fetches the server's data that a page shows, refreshes it, and changes it.

import { ApiError, errorText } from '../api/client';
import { t } from '../messages';
import { session } from './session.svelte';

export class Resource<T> {
  value = $state<T>();
  /** The error of the last fetch, for a page that has no value to show. */
  loadError = $state<ApiError>();
  /** A sentence that says why the last change failed, or an empty string. */
  changeError = $state('');
  /** A sentence that confirms the last change, or an empty string. */
  confirmation = $state('');

  constructor(private readonly fetch: () => Promise<T>) {
    void this.load();
  }

  async load(): Promise<void> {
    try {
      this.value = await this.fetch();
      this.loadError = undefined;
    } catch (caught) {
      const failure = caught instanceof ApiError ? caught : new ApiError(0, '');
      if (failure.status === 401) session.end();
      // While the server can't be reached, the page keeps showing the value that it has.
      else if (failure.status !== 0 || this.value === undefined) this.loadError = failure;
    }
  }

  /** Fetches the data every `ms` milliseconds. Returns a function that stops this, as the callback of `onMount` must. */
  readonly reloadEvery = (ms: number): (() => void) => {
    const timer = setInterval(() => void this.load(), ms);
    return () => clearInterval(timer);
  };

  /**
   * Makes a change, then fetches the data again. `confirmation` is the sentence that confirms the change. Returns whether
   * the change succeeded.
   */
  async attempt(change: () => Promise<unknown>, confirmation = ''): Promise<boolean> {
    this.changeError = '';
    this.confirmation = '';
    try {
      await change();
      this.confirmation = confirmation;
    } catch (caught) {
      this.changeError = errorText(caught, t('app.failed'));
    }
    await this.load();
    return this.changeError === '';
  }
}
