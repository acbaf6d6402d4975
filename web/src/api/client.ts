// Calls the HTTP API, with types generated from the server's own description (schema.d.ts).

import type { components } from './schema';

type Schemas = components['schemas'];
export type Person = Schemas['PersonView'];
export type Face = Schemas['Face'];
export type Sector = Schemas['Sector'];
export type Seat = Schemas['Seat'];
export type Standing = Required<Schemas['Standing']>;
export type DemoPerson = Schemas['DemoPerson'];
export type Plan = Schemas['PlanView'];
export type PlanDetail = Schemas['PlanDetail'];
export type PlanPeople = Schemas['PlanPeople'];
export type SeatEntry = Schemas['SeatEntry'];
export type InvitationEntry = Schemas['InvitationEntry'];
export type MadeInvitation = Schemas['MadeInvitation'];
export type Invitation = Schemas['InvitationView'];
export type Link = Schemas['LinkView'];
export type LinkMade = Schemas['LinkMade'];
export type NewAccount = Schemas['NewAccount'];
export type Account = Schemas['AccountView'];
export type DocumentSummary = Schemas['DocumentSummary'];
export type DocumentView = Schemas['DocumentView'];
export type Administration = Schemas['Administration'];
export type AccountEntry = Schemas['AccountEntry'];
export type Ways = Schemas['Ways'];
export type Provider = Schemas['ProviderView'];
export type ProviderEntry = Schemas['ProviderEntry'];
export type NewProvider = Schemas['NewProvider'];
export type AuditEntry = Schemas['AuditEntry'];
export type History = Schemas['HistoryView'];
export type Diff = Schemas['DiffView'];
export type Author = Schemas['AuthorView'];
export type Change = Schemas['Change'];
export type Deed = Schemas['Deed'];
export type Piece = Schemas['Piece'];
export type TextDiff = Schemas['TextDiff'];
export type MilestoneDiff = Schemas['MilestoneDiff'];
export type Sitting = Schemas['Sitting'];
export type CoCreation = Schemas['RecordView'];
export type ReleasePath = Schemas['ReleasePath'];
export type Strange = Schemas['Strange'];
export type Proposal = Schemas['ProposalView'];
export type Launch = Schemas['LaunchView'];
export type Progress = Schemas['Progress'];
export type Imported = Schemas['Imported'];

/** The error of a failed request. `status` is the HTTP status of the answer, or 0 if the server gave no answer. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** The name of the error in the API, such as `history_too_long`, or an empty string if there is none. */
    readonly error = '',
  ) {
    super(message);
  }
}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const isFile = body instanceof Blob;
  const kind = isFile ? 'application/octet-stream' : 'application/json';
  const request: RequestInit = { method, headers: body ? { 'content-type': kind } : {} };
  if (body) request.body = isFile ? body : JSON.stringify(body);
  const response = await fetch(`/api/v1${path}`, request).catch(() => {
    throw new ApiError(0, '');
  });
  if (response.status === 204 || response.status === 202) return undefined as T;
  const answer: unknown = await response.json().catch(() => ({}));
  if (response.ok) return answer as T;
  const { message, error } = answer as { message?: string; error?: string };
  throw new ApiError(response.status, message ?? '', error);
}

const id = encodeURIComponent;
const plan = (plan: string) => `/plans/${id(plan)}`;
const seat = (of: string, person: string) => `${plan(of)}/people/${id(person)}`;
const account = (person: string) => `/administration/people/${id(person)}`;

const proposals = (document: string) => `/documents/${id(document)}/proposals`;

interface SignedIn {
  person: Person;
}

export const api = {
  session: () => call<SignedIn>('GET', '/session'),
  demoPeople: () => call<DemoPerson[]>('GET', '/demo'),
  signInDemo: (demo: string) => call<SignedIn>('POST', '/session', { demo }),
  signIn: (email: string, password: string) => call<SignedIn>('POST', '/session', { email, password }),
  signOut: () => call<void>('DELETE', '/session'),

  ways: () => call<Ways>('GET', '/providers'),
  sendReset: (email: string) => call<void>('POST', '/links', { email }),
  link: (secret: string) => call<Link>('GET', `/links/${id(secret)}`),
  setUp: (secret: string, account: NewAccount) => call<SignedIn>('POST', `/links/${id(secret)}`, account),
  resetPassword: (secret: string, password: string, end_providers: string[]) =>
    call<SignedIn>('POST', `/links/${id(secret)}`, { password, end_providers }),
  confirmEmail: (secret: string) => call<SignedIn>('POST', `/links/${id(secret)}`, { confirm: true }),
  invitation: (secret: string) => call<Invitation>('GET', `/invitations/${id(secret)}`),
  join: (secret: string, account?: NewAccount) =>
    call<SignedIn>('POST', `/invitations/${id(secret)}`, { account }),

  account: () => call<Account>('GET', '/account'),
  rename: (name: string) => call<Person>('PATCH', '/account', { name }),
  setPassword: (current: string, next: string) =>
    call<void>('PUT', '/account/password', { current, new: next }),
  setEmail: (email: string, current: string) => call<void>('PUT', '/account/email', { email, current }),
  sendConfirmation: () => call<void>('POST', '/account/email/confirmation'),
  endSession: (session: string) => call<void>('DELETE', `/account/sessions/${id(session)}`),
  endOtherSessions: () => call<void>('DELETE', '/account/sessions'),

  unlink: (provider: string) => call<void>('DELETE', `/account/providers/${id(provider)}`),

  plans: () => call<Plan[]>('GET', '/plans'),
  createPlan: (title: string) => call<{ id: string }>('POST', '/plans', { title }),
  plan: (of: string) => call<PlanDetail>('GET', plan(of)),
  changePlan: (of: string, change: Schemas['PlanChange']) => call<void>('PATCH', plan(of), change),
  people: (of: string) => call<PlanPeople>('GET', `${plan(of)}/people`),
  seat: (of: string, person: string, standing: Standing) => call<void>('PUT', seat(of, person), standing),
  unseat: (of: string, person: string) => call<void>('DELETE', seat(of, person)),
  resetLink: (of: string, person: string) => call<LinkMade>('POST', `${seat(of, person)}/reset`),
  invite: (of: string, invitations: ({ label: string } & Standing)[], days: number) =>
    call<MadeInvitation[]>('POST', `${plan(of)}/invitations`, { invitations, days }),
  revoke: (of: string, invitation: string) =>
    call<void>('DELETE', `${plan(of)}/invitations/${id(invitation)}`),
  createDocument: (of: string, title: string, language = 'en', translates?: string) =>
    call<{ id: string }>('POST', `${plan(of)}/documents`, { title, language, translates }),
  importDraft: (of: string, file: File, language: string) =>
    call<Imported>('POST', `${plan(of)}/imports?name=${id(file.name)}&language=${id(language)}`, file),
  launch: (of: string, launch: Schemas['NewLaunch']) =>
    call<Schemas['Done']>('POST', `${plan(of)}/launches`, launch),
  callOff: (of: string, launch: number) => call<void>('DELETE', `${plan(of)}/launches/${launch}`),

  document: (document: string) => call<DocumentView>('GET', `/documents/${id(document)}`),
  redact: (document: string, passage: Schemas['NewRedaction']) =>
    call<void>('POST', `/documents/${id(document)}/redactions`, passage),
  history: (document: string) => call<History>('GET', `/documents/${id(document)}/history`),
  noteSeen: (document: string, seq: number) =>
    call<void>('PUT', `/documents/${id(document)}/history/seen`, { seq }),
  diff: (document: string, from: number, to: number) =>
    call<Diff>('GET', `/documents/${id(document)}/diff?from=${from}&to=${to}`),
  coCreation: (document: string) => call<CoCreation>('GET', `/documents/${id(document)}/record`),
  nameVersion: (document: string, version: Schemas['NewVersion']) =>
    call<Schemas['Done']>('POST', `/documents/${id(document)}/versions`, version),
  restore: (document: string, restoration: Schemas['NewRestoration']) =>
    call<Schemas['Done']>('POST', `/documents/${id(document)}/restorations`, restoration),
  releasePath: (document: string) => call<ReleasePath>('GET', `/documents/${id(document)}/release`),
  proposed: (document: string, proposal: number) =>
    call<unknown>('GET', `${proposals(document)}/${proposal}`),
  clean: (document: string) => call<Schemas['Done']>('POST', `/documents/${id(document)}/cleaning`),
  propose: (document: string, digest: string, message: string) =>
    call<Schemas['Done']>('POST', proposals(document), { digest, message }),
  sign: (document: string, proposal: number, digest: string) =>
    call<Schemas['Done']>('PUT', `${proposals(document)}/${proposal}/signature`, { digest }),
  decline: (document: string, proposal: number, reason: string) =>
    call<Schemas['Done']>('POST', `${proposals(document)}/${proposal}/decline`, { reason }),
  withdraw: (document: string, proposal: number) =>
    call<Schemas['Done']>('DELETE', `${proposals(document)}/${proposal}`),
  reopen: (document: string, message: string) =>
    call<Schemas['Done']>('POST', `/documents/${id(document)}/reopening`, { message }),
  archive: (document: string, archived: boolean) =>
    call<void>('PATCH', `/documents/${id(document)}`, { archived }),
  deleteDocument: (document: string) => call<void>('DELETE', `/documents/${id(document)}`),

  administration: () => call<Administration>('GET', '/administration'),
  setAdministrator: (person: string, administrator: boolean) =>
    call<void>('PATCH', account(person), { administrator }),
  adminResetLink: (person: string) => call<LinkMade>('POST', `${account(person)}/reset`),
  endSessionsOf: (person: string) => call<void>('DELETE', `${account(person)}/sessions`),
  forget: (person: string) => call<void>('DELETE', account(person)),
  addProvider: (provider: NewProvider) => call<ProviderEntry>('POST', '/administration/providers', provider),
  removeProvider: (provider: string) => call<void>('DELETE', `/administration/providers/${id(provider)}`),
  audit: (of?: string) => call<AuditEntry[]>('GET', of ? `${plan(of)}/audit` : '/administration/audit'),
};

/** Returns the address of an audit record as a file: that of the plan with the id `of`, or without `of` the installation's. */
export function auditFile(format: 'csv' | 'chain', of?: string): string {
  return `/api/v1${of ? `${plan(of)}/audit` : '/administration/audit'}?format=${format}`;
}

/** Returns the address of a commitment's co-creation record as a file. */
export function coCreationFile(document: string, format: 'csv' | 'json' | 'html'): string {
  return `/api/v1/documents/${id(document)}/record?format=${format}`;
}

export type FileKind = 'pdf' | 'docx' | 'html' | 'md';

/** Returns the address of a release as a file: the signed file, or another kind if `kind` is given. */
export function releaseFile(document: string, number: number, kind?: FileKind): string {
  return `/api/v1/documents/${id(document)}/releases/${number}${kind ? `/${kind}` : ''}`;
}

/** Returns the address of the draft as a file. A Word file can show the changes since the moment `since`. */
export function draftFile(document: string, kind: FileKind | 'json', since?: number): string {
  return `/api/v1/documents/${id(document)}/draft/${kind}${since === undefined ? '' : `?since=${since}`}`;
}

/** Returns the address that the browser opens to sign in with a provider. */
export function providerStart(provider: string, query = ''): string {
  return `/api/v1/providers/${id(provider)}/start${query}`;
}

/** Returns the sentence to show for an error: the server's own, or else `otherwise`. */
export function saying(error: unknown, otherwise: string): string {
  return (error instanceof ApiError && error.message) || otherwise;
}
