// The HTTP API, with the types generated from the server's own description (schema.d.ts).

import type { components } from './schema';

type Schemas = components['schemas'];
export type Person = Schemas['PersonView'];
export type DemoPerson = Schemas['DemoPerson'];
export type Plan = Schemas['PlanView'];
export type PlanDetail = Schemas['PlanDetail'];
export type DocumentSummary = Schemas['DocumentSummary'];
export type DocumentView = Schemas['DocumentView'];

/** The server's answer was an error: `status` 0 means that there was no answer. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const request: RequestInit = { method, headers: body ? { 'content-type': 'application/json' } : {} };
  if (body) request.body = JSON.stringify(body);
  const response = await fetch(`/api/v1${path}`, request).catch(() => {
    throw new ApiError(0, '');
  });
  if (response.status === 204) return undefined as T;
  const answer: unknown = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, (answer as { message?: string }).message ?? '');
  return answer as T;
}

export const api = {
  session: () => call<{ person: Person }>('GET', '/session'),
  demoPeople: () => call<DemoPerson[]>('GET', '/demo'),
  signIn: (demo: string) => call<{ person: Person }>('POST', '/session', { demo }),
  signOut: () => call<void>('DELETE', '/session'),
  plans: () => call<Plan[]>('GET', '/plans'),
  plan: (id: string) => call<PlanDetail>('GET', `/plans/${encodeURIComponent(id)}`),
  createDocument: (plan: string, title: string) =>
    call<{ id: string }>('POST', `/plans/${encodeURIComponent(plan)}/documents`, { title }),
  document: (id: string) => call<DocumentView>('GET', `/documents/${encodeURIComponent(id)}`),
};
