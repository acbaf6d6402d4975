// Collects announcements for people who can't see the carets: who comes and goes, who changed what, and whether
// their own edits are saved. Announcements are at least `PAUSE_MS` apart, and never made for each keystroke.

import { listFormat, t } from '../../messages';

/** Minimum time between two announcements, in milliseconds, so that one is read out before the next comes. */
const PAUSE_MS = 5_000;
/** Time in milliseconds after which a person who is not connected is said to have left. A reload usually takes less. */
const GONE_MS = 3_000;

export class Announcer {
  private readonly said: string[] = [];
  /** For each field that changed since the last announcement, the names of the people whose caret was in the field. */
  private readonly changed = new Map<string, Set<string>>();
  private readonly here = new Map<string, string>();
  private readonly leaving = new Map<string, ReturnType<typeof setTimeout>>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private last = 0;

  constructor(private readonly say: (sentence: string) => void) {}

  /** Announces who has joined or left since the last call. `people` has the id and name of everybody else who is connected. */
  present(people: Map<string, string>): void {
    for (const [person, name] of people) {
      clearTimeout(this.leaving.get(person));
      this.leaving.delete(person);
      if (!this.here.has(person)) this.soon(t('announce.joined', { name }));
      this.here.set(person, name);
    }
    for (const [person, name] of this.here) {
      if (people.has(person) || this.leaving.has(person)) continue;
      const leave = () => {
        this.leaving.delete(person);
        this.here.delete(person);
        this.soon(t('announce.left', { name }));
      };
      this.leaving.set(person, setTimeout(leave, GONE_MS));
    }
  }

  /** Announces soon that a field was changed. `names` are those of the people whose caret is in it, and can be empty. */
  change(field: string, names: string[]): void {
    const who = this.changed.get(field) ?? new Set();
    for (const name of names) who.add(name);
    this.changed.set(field, who);
    this.soon();
  }

  soon(sentence?: string): void {
    if (sentence) this.said.push(sentence);
    this.timer ??= setTimeout(() => this.speak(), Math.max(500, this.last + PAUSE_MS - Date.now()));
  }

  stop(): void {
    clearTimeout(this.timer);
    for (const timer of this.leaving.values()) clearTimeout(timer);
  }

  private speak(): void {
    this.timer = undefined;
    this.last = Date.now();
    for (const [field, names] of this.changed) {
      // A person's first edit can arrive before their caret. Then their name is not known yet.
      const who = names.size > 0 ? listFormat.format(names) : t('announce.somebody');
      this.said.push(t('announce.changed', { names: who, field }));
    }
    this.changed.clear();
    this.say(this.said.splice(0).join('. '));
  }
}
