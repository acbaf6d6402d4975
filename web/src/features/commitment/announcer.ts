// Collects announcements for people who can't see the carets: who comes and goes, who changed what, and whether
// their own edits are saved. Announcements are at least `PAUSE_MS` apart, and never made for each keystroke.

import { listFormat, t } from '../../messages';

/** Minimum time between two announcements, in milliseconds, so that one is read out before the next comes. */
const PAUSE_MS = 5_000;
/** Time in milliseconds after which a person who is not connected is said to have left. A reload usually takes less. */
const GONE_MS = 3_000;

export class Announcer {
  private readonly sentences: string[] = [];
  /** For each field that changed since the last announcement, the names of the people whose caret was in the field. */
  private readonly changedFields = new Map<string, Set<string>>();
  private readonly presentNames = new Map<string, string>();
  private readonly leaveTimers = new Map<string, ReturnType<typeof setTimeout>>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lastSpoken = 0;

  constructor(private readonly announce: (sentence: string) => void) {}

  /** Announces who has joined or left since the last call. `people` has the id and name of everybody else who is connected. */
  announcePresence(people: Map<string, string>): void {
    for (const [person, name] of people) {
      clearTimeout(this.leaveTimers.get(person));
      this.leaveTimers.delete(person);
      if (!this.presentNames.has(person)) this.announceSoon(t('announce.joined', { name }));
      this.presentNames.set(person, name);
    }
    for (const [person, name] of this.presentNames) {
      if (people.has(person) || this.leaveTimers.has(person)) continue;
      const leave = () => {
        this.leaveTimers.delete(person);
        this.presentNames.delete(person);
        this.announceSoon(t('announce.left', { name }));
      };
      this.leaveTimers.set(person, setTimeout(leave, GONE_MS));
    }
  }

  /** Announces soon that a field was changed. `names` are those of the people whose caret is in it, and can be empty. */
  announceChange(field: string, names: string[]): void {
    const who = this.changedFields.get(field) ?? new Set();
    for (const name of names) who.add(name);
    this.changedFields.set(field, who);
    this.announceSoon();
  }

  announceSoon(sentence?: string): void {
    if (sentence) this.sentences.push(sentence);
    this.timer ??= setTimeout(() => this.speak(), Math.max(500, this.lastSpoken + PAUSE_MS - Date.now()));
  }

  stop(): void {
    clearTimeout(this.timer);
    for (const timer of this.leaveTimers.values()) clearTimeout(timer);
  }

  private speak(): void {
    this.timer = undefined;
    this.lastSpoken = Date.now();
    for (const [field, names] of this.changedFields) {
      // A person's first edit can arrive before their caret. Then their name is not known yet.
      const who = names.size > 0 ? listFormat.format(names) : t('announce.somebody');
      this.sentences.push(t('announce.changed', { names: who, field }));
    }
    this.changedFields.clear();
    this.announce(this.sentences.splice(0).join('. '));
  }
}
