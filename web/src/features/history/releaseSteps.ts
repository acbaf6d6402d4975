// Lists the steps on the path to releases, by time.

import type { History } from '../../api/client';
import { t } from '../../messages/history';

export interface ReleaseStep {
  /** A unique key, made from the kind, the moment, the time and the name. */
  key: string;
  time: number;
  /** A sentence that says what happened. */
  sentence: string;
  /** The message or reason of the person who took the step. */
  message: string;
  /** The moment whose text the step was about. */
  moment: number;
}

/** Returns all steps, the newest first. */
export function listReleaseSteps({
  proposals,
  releases,
}: Pick<History, 'proposals' | 'releases'>): ReleaseStep[] {
  const steps: ReleaseStep[] = [];
  const add = (
    kind: string,
    about: { time: number; name?: string },
    moment: number,
    message = '',
    number = 0,
  ) => {
    const name = about.name || t('person.former');
    const sentence = t(`history.step.${kind}` as 'history.step.signed', { name, number });
    steps.push({
      key: `${kind}-${moment}-${about.time}-${name}`,
      time: about.time,
      sentence,
      message,
      moment,
    });
  };
  for (const { by, message, signatures, ended, fate, reason, moment } of proposals) {
    add('proposed', by, moment, message);
    for (const signature of signatures) add('signed', signature, moment);
    if (ended) add(fate, ended, moment, reason);
  }
  for (const { number, frozen, moment, reopened } of releases) {
    add('frozen', { time: frozen }, moment, '', number);
    if (reopened) add('reopened', reopened, moment);
  }
  // Steps with the same time keep their order: the last signature comes before the freeze that it causes.
  return steps.sort((a, b) => a.time - b.time).toReversed();
}
