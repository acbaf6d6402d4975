// The steps that people can take on the path to a release, and the sentences that confirm them.

import { t } from '../../messages/release';

export type StepName = 'propose' | 'sign' | 'decline' | 'withdraw' | 'reopen';

const CONFIRMATION_KEYS = {
  propose: 'release.done.proposed',
  sign: 'release.done.signed',
  decline: 'release.done.declined',
  withdraw: 'release.done.withdrawn',
  reopen: 'release.done.reopened',
} as const;

/** Returns the sentence that confirms a step. `frozen` is the number of the release that the step completed, if any. */
export const stepConfirmation = (step: StepName, frozen: number | undefined): string =>
  step === 'sign' && frozen !== undefined
    ? t('release.done.frozen', { number: frozen })
    : t(CONFIRMATION_KEYS[step]);
