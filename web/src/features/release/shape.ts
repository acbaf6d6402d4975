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

const isText: Check = (value) => typeof value === 'string';
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
/** Returns whether a value is an integer from 0 to 2^32 - 1, the range of release numbers. */
export const isU32 = (value: unknown): value is number => isCount(value) && (value as number) <= MAX_U32;
const isDigest: Check = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const oneOf =
  (all: readonly unknown[]): Check =>
  (value) =>
    all.includes(value);
const listOf =
  (isItem: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(isItem);
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const mapOf =
  (isMember: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(isMember);

/** Creates the check for an object that has all of `members`, and no others except `optional` ones. */
const objectWith =
  (members: Members, optional: Members = {}): Check =>
  (value) =>
    isObject(value) &&
    Object.entries(members).every(([name, check]) => Object.hasOwn(value, name) && check(value[name])) &&
    Object.entries(value).every(
      ([name, member]) =>
        Object.hasOwn(members, name) || (Object.hasOwn(optional, name) && optional[name]?.(member)),
    );

const isScalar: Check = (value) => ['string', 'number', 'boolean'].includes(typeof value);
const isAttributes: Check = (value) =>
  isObject(value) && Object.keys(value).length > 0 && mapOf(isScalar)(value);
const isDelta = listOf(objectWith({ insert: isText }, { attributes: isAttributes }));

const hasReleaseShape = objectWith(
  {
    format: oneOf(['accord-release/1']),
    document: isText,
    number: (value) => isU32(value) && (value as number) > 0,
    language: isText,
    template: isText,
    gaps: listOf(oneOf(NEEDS)),
    texts: mapOf(isDelta),
    milestones: listOf(
      objectWith({
        id: isText,
        what: isDelta,
        outputs: isDelta,
        who: isDelta,
        due: isText,
        due_text: isText,
      }),
    ),
    facts: mapOf(isText),
  },
  { supersedes: isDigest },
);

const hasStatementShape = objectWith({
  digest: isDigest,
  document: isText,
  number: isU32,
  plan: isText,
  plan_title: isText,
  ledger: objectWith({ lineage: isText, seq: isCount, head: isDigest }),
  frozen: isCount,
  quorum: objectWith({ government: isU32, civil_society: isU32 }),
  signatories: listOf(objectWith({ person: isText, name: isText, sector: oneOf(SECTORS), time: isCount })),
});

export const isReleased = (value: unknown): value is Released => hasReleaseShape(value);
export const isStatement = (value: unknown): value is Statement => hasStatementShape(value);
