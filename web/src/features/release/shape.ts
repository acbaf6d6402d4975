// Checks the shape of a release and of the signed statement about it: all members are present, and no others.

import type { Sector } from '../../api/client';
import type { Delta } from '../../text/delta';

export interface Released {
  format: string;
  document: string;
  number: number;
  language: string;
  template: string;
  supersedes?: string;
  gaps: string[];
  texts: Record<string, Delta>;
  milestones: { id: string; what: Delta; outputs: Delta; who: Delta; due: string; due_text: string }[];
  facts: Record<string, string>;
}

export interface Statement {
  digest: string;
  document: string;
  number: number;
  plan: string;
  plan_title: string;
  ledger: { lineage: string; seq: number; head: string };
  frozen: number;
  quorum: { government: number; civil_society: number };
  signatories: { person: string; name: string; sector: Sector; time: number }[];
}

type Check = (value: unknown) => boolean;
type Members = Record<string, Check>;

const NEEDS = [
  'title',
  'lead',
  'problem',
  'solution',
  'results',
  'value',
  'milestone',
  'milestone_dates',
  'milestone_people',
];
const SECTORS = ['government', 'civil_society', 'other', 'adviser'];
const MAX_U32 = 2 ** 32 - 1;

const text: Check = (value) => typeof value === 'string';
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
/** Returns whether a value is an integer from 0 to 2^32 - 1, the range of release numbers. */
export const isU32 = (value: unknown): value is number => count(value) && (value as number) <= MAX_U32;
const short: Check = isU32;
const digest: Check = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const one =
  (all: readonly unknown[]): Check =>
  (value) =>
    all.includes(value);
const list =
  (each: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(each);
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const map =
  (each: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(each);

/** Creates the check for an object that has all of `members`, and no others except `optional` ones. */
const object =
  (members: Members, optional: Members = {}): Check =>
  (value) =>
    isObject(value) &&
    Object.entries(members).every(([name, check]) => Object.hasOwn(value, name) && check(value[name])) &&
    Object.entries(value).every(
      ([name, member]) =>
        Object.hasOwn(members, name) || (Object.hasOwn(optional, name) && optional[name]?.(member)),
    );

const single: Check = (value) => ['string', 'number', 'boolean'].includes(typeof value);
const attributes: Check = (value) => isObject(value) && Object.keys(value).length > 0 && map(single)(value);
const delta = list(object({ insert: text }, { attributes }));

const release = object(
  {
    format: one(['accord-release/1']),
    document: text,
    number: (value) => short(value) && (value as number) > 0,
    language: text,
    template: text,
    gaps: list(one(NEEDS)),
    texts: map(delta),
    milestones: list(
      object({ id: text, what: delta, outputs: delta, who: delta, due: text, due_text: text }),
    ),
    facts: map(text),
  },
  { supersedes: digest },
);

const statement = object({
  digest,
  document: text,
  number: short,
  plan: text,
  plan_title: text,
  ledger: object({ lineage: text, seq: count, head: digest }),
  frozen: count,
  quorum: object({ government: short, civil_society: short }),
  signatories: list(object({ person: text, name: text, sector: one(SECTORS), time: count })),
});

export const isReleased = (value: unknown): value is Released => release(value);
export const isStatement = (value: unknown): value is Statement => statement(value);
