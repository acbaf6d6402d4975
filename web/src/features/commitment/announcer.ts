// Announcements for people who can't see the carets: who comes and goes, who changed what, and whether
// what they write is safe. One polite sentence at a time, and never one for each keystroke.

import { list, t } from '../../messages';

/** The least time between two announcements, so that one can be read out before the next comes. */
const PAUSE_MS = 5_000;
/** Somebody who has been gone for less has not left: a page reload, a lost connection. */
const GONE_MS = 3_000;

export class Announcer {
  private readonly said: string[] = [];
  /** Who changed each field since the last announcement. */
  private readonly changed = new Map<string, Set<string>>();
  private readonly here = new Map<string, string>();
  private readonly leaving = new Map<string, ReturnType<typeof setTimeout>>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private last = 0;

  constructor(private readonly say: (sentence: string) => void) {}

  /** Everybody else who is here, by person. */
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

  /** A field changed, by `names` if they are known. */
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
      // A first word can come before its writer's caret: then nobody's name is known yet.
      const who = names.size > 0 ? list.format(names) : t('announce.somebody');
      this.said.push(t('announce.changed', { names: who, field }));
    }
    this.changed.clear();
    this.say(this.said.splice(0).join('. '));
  }
}
