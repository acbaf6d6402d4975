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
export type OneTimeLink = Schemas['LinkView'];
export type MadeResetLink = Schemas['LinkMade'];
export type NewAccount = Schemas['NewAccount'];
export type Account = Schemas['AccountView'];
export type DocumentSummary = Schemas['DocumentSummary'];
export type DocumentView = Schemas['DocumentView'];
export type Administration = Schemas['Administration'];
export type AccountEntry = Schemas['AccountEntry'];
export type SignInMethods = Schemas['Ways'];
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
export type CoCreationRecord = Schemas['RecordView'];
export type ReleasePath = Schemas['ReleasePath'];
export type Unreleasable = Schemas['Strange'];
export type Proposal = Schemas['ProposalView'];
export type Launch = Schemas['LaunchView'];
export type Progress = Schemas['Progress'];
export type ImportResult = Schemas['Imported'];

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

const encode = encodeURIComponent;
const planPath = (plan: string) => `/plans/${encode(plan)}`;
const seatPath = (plan: string, person: string) => `${planPath(plan)}/people/${encode(person)}`;
const accountPath = (person: string) => `/administration/people/${encode(person)}`;

const proposalsPath = (document: string) => `/documents/${encode(document)}/proposals`;

interface SignedIn {
  person: Person;
}

export const api = {
  session: () => call<SignedIn>('GET', '/session'),
  demoPeople: () => call<DemoPerson[]>('GET', '/demo'),
  signInDemo: (demo: string) => call<SignedIn>('POST', '/session', { demo }),
  signIn: (email: string, password: string) => call<SignedIn>('POST', '/session', { email, password }),
  signOut: () => call<void>('DELETE', '/session'),

  signInMethods: () => call<SignInMethods>('GET', '/providers'),
  sendReset: (email: string) => call<void>('POST', '/links', { email }),
  link: (secret: string) => call<OneTimeLink>('GET', `/links/${encode(secret)}`),
  setUp: (secret: string, account: NewAccount) => call<SignedIn>('POST', `/links/${encode(secret)}`, account),
  resetPassword: (secret: string, password: string, end_providers: string[]) =>
    call<SignedIn>('POST', `/links/${encode(secret)}`, { password, end_providers }),
  confirmEmail: (secret: string) => call<SignedIn>('POST', `/links/${encode(secret)}`, { confirm: true }),
  invitation: (secret: string) => call<Invitation>('GET', `/invitations/${encode(secret)}`),
  join: (secret: string, account?: NewAccount) =>
    call<SignedIn>('POST', `/invitations/${encode(secret)}`, { account }),

  account: () => call<Account>('GET', '/account'),
  rename: (name: string) => call<Person>('PATCH', '/account', { name }),
  setPassword: (current: string, next: string) =>
    call<void>('PUT', '/account/password', { current, new: next }),
  setEmail: (email: string, current: string) => call<void>('PUT', '/account/email', { email, current }),
  sendConfirmation: () => call<void>('POST', '/account/email/confirmation'),
  endSession: (session: string) => call<void>('DELETE', `/account/sessions/${encode(session)}`),
  endOtherSessions: () => call<void>('DELETE', '/account/sessions'),

  unlinkProvider: (provider: string) => call<void>('DELETE', `/account/providers/${encode(provider)}`),

  plans: () => call<Plan[]>('GET', '/plans'),
  createPlan: (title: string) => call<{ id: string }>('POST', '/plans', { title }),
  plan: (plan: string) => call<PlanDetail>('GET', planPath(plan)),
  changePlan: (plan: string, change: Schemas['PlanChange']) => call<void>('PATCH', planPath(plan), change),
  people: (plan: string) => call<PlanPeople>('GET', `${planPath(plan)}/people`),
  setStanding: (plan: string, person: string, standing: Standing) =>
    call<void>('PUT', seatPath(plan, person), standing),
  unseat: (plan: string, person: string) => call<void>('DELETE', seatPath(plan, person)),
  createResetLink: (plan: string, person: string) =>
    call<MadeResetLink>('POST', `${seatPath(plan, person)}/reset`),
  invite: (plan: string, invitations: ({ label: string } & Standing)[], days: number) =>
    call<MadeInvitation[]>('POST', `${planPath(plan)}/invitations`, { invitations, days }),
  revokeInvitation: (plan: string, invitation: string) =>
    call<void>('DELETE', `${planPath(plan)}/invitations/${encode(invitation)}`),
  createDocument: (plan: string, title: string, language = 'en', translates?: string) =>
    call<{ id: string }>('POST', `${planPath(plan)}/documents`, { title, language, translates }),
  importDraft: (plan: string, file: File, language: string) =>
    call<ImportResult>(
      'POST',
      `${planPath(plan)}/imports?name=${encode(file.name)}&language=${encode(language)}`,
      file,
    ),
  launch: (plan: string, launch: Schemas['NewLaunch']) =>
    call<Schemas['Done']>('POST', `${planPath(plan)}/launches`, launch),
  callOffLaunch: (plan: string, launch: number) =>
    call<void>('DELETE', `${planPath(plan)}/launches/${launch}`),

  document: (document: string) => call<DocumentView>('GET', `/documents/${encode(document)}`),
  redact: (document: string, passage: Schemas['NewRedaction']) =>
    call<void>('POST', `/documents/${encode(document)}/redactions`, passage),
  history: (document: string) => call<History>('GET', `/documents/${encode(document)}/history`),
  noteSeen: (document: string, seq: number) =>
    call<void>('PUT', `/documents/${encode(document)}/history/seen`, { seq }),
  diff: (document: string, from: number, to: number) =>
    call<Diff>('GET', `/documents/${encode(document)}/diff?from=${from}&to=${to}`),
  coCreationRecord: (document: string) =>
    call<CoCreationRecord>('GET', `/documents/${encode(document)}/record`),
  nameVersion: (document: string, version: Schemas['NewVersion']) =>
    call<Schemas['Done']>('POST', `/documents/${encode(document)}/versions`, version),
  restore: (document: string, restoration: Schemas['NewRestoration']) =>
    call<Schemas['Done']>('POST', `/documents/${encode(document)}/restorations`, restoration),
  releasePath: (document: string) => call<ReleasePath>('GET', `/documents/${encode(document)}/release`),
  proposedText: (document: string, proposal: number) =>
    call<unknown>('GET', `${proposalsPath(document)}/${proposal}`),
  cleanText: (document: string) => call<Schemas['Done']>('POST', `/documents/${encode(document)}/cleaning`),
  propose: (document: string, digest: string, message: string) =>
    call<Schemas['Done']>('POST', proposalsPath(document), { digest, message }),
  sign: (document: string, proposal: number, digest: string) =>
    call<Schemas['Done']>('PUT', `${proposalsPath(document)}/${proposal}/signature`, { digest }),
  decline: (document: string, proposal: number, reason: string) =>
    call<Schemas['Done']>('POST', `${proposalsPath(document)}/${proposal}/decline`, { reason }),
  withdraw: (document: string, proposal: number) =>
    call<Schemas['Done']>('DELETE', `${proposalsPath(document)}/${proposal}`),
  reopen: (document: string, message: string) =>
    call<Schemas['Done']>('POST', `/documents/${encode(document)}/reopening`, { message }),
  setArchived: (document: string, archived: boolean) =>
    call<void>('PATCH', `/documents/${encode(document)}`, { archived }),
  deleteDocument: (document: string) => call<void>('DELETE', `/documents/${encode(document)}`),

  administration: () => call<Administration>('GET', '/administration'),
  setAdministrator: (person: string, administrator: boolean) =>
    call<void>('PATCH', accountPath(person), { administrator }),
  createAdminResetLink: (person: string) => call<MadeResetLink>('POST', `${accountPath(person)}/reset`),
  endSessionsOf: (person: string) => call<void>('DELETE', `${accountPath(person)}/sessions`),
  forgetPerson: (person: string) => call<void>('DELETE', accountPath(person)),
  addProvider: (provider: NewProvider) => call<ProviderEntry>('POST', '/administration/providers', provider),
  removeProvider: (provider: string) => call<void>('DELETE', `/administration/providers/${encode(provider)}`),
  auditRecord: (plan?: string) =>
    call<AuditEntry[]>('GET', plan ? `${planPath(plan)}/audit` : '/administration/audit'),
};

/** Returns the address of the audit record of a plan as a file. Without `plan`, it is the record of the installation. */
export function auditFileUrl(format: 'csv' | 'chain', plan?: string): string {
  return `/api/v1${plan ? `${planPath(plan)}/audit` : '/administration/audit'}?format=${format}`;
}

/** Returns the address of a commitment's co-creation record as a file. */
export function coCreationFileUrl(document: string, format: 'csv' | 'json' | 'html'): string {
  return `/api/v1/documents/${encode(document)}/record?format=${format}`;
}

export type FileKind = 'pdf' | 'docx' | 'html' | 'md';

/** Returns the address of a release as a file: the signed file, or another kind if `kind` is given. */
export function releaseFileUrl(document: string, number: number, kind?: FileKind): string {
  return `/api/v1/documents/${encode(document)}/releases/${number}${kind ? `/${kind}` : ''}`;
}

/** Returns the address of the draft as a file. A Word file can show the changes since the moment `since`. */
export function draftFileUrl(document: string, kind: FileKind | 'json', since?: number): string {
  return `/api/v1/documents/${encode(document)}/draft/${kind}${since === undefined ? '' : `?since=${since}`}`;
}

/** Returns the address that the browser opens to sign in with a provider. */
export function providerSignInUrl(provider: string, query = ''): string {
  return `/api/v1/providers/${encode(provider)}/start${query}`;
}

/** Returns the sentence to show for an error: the server's message, or `otherwise` if the server gave none. */
export function errorText(error: unknown, otherwise: string): string {
  return (error instanceof ApiError && error.message) || otherwise;
}
