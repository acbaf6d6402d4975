// The steps that one can take on the way to a release, and what is said once they are taken.

import { t } from '../../messages/release';

export type StepName = 'propose' | 'sign' | 'decline' | 'withdraw' | 'reopen';

const DONE = {
  propose: 'release.done.proposed',
  sign: 'release.done.signed',
  decline: 'release.done.declined',
  withdraw: 'release.done.withdrawn',
  reopen: 'release.done.reopened',
} as const;

/** `frozen`: the number of the release that the step completed. */
export const stepDone = (step: StepName, frozen: number | undefined): string =>
  step === 'sign' && frozen !== undefined ? t('release.done.frozen', { number: frozen }) : t(DONE[step]);
