// Finds the component of each route. A page receives the values in its address, and the person who is signed in.

import type { Component } from 'svelte';
import type { Person } from './api/client';
import HomePage from './features/plan/HomePage.svelte';
import PlanPage from './features/plan/PlanPage.svelte';
import type { Route } from './frame/route';

type Name = Route['page'];
type Props<Page extends Name> = Extract<Route, { page: Page }> & { person: Person };
/** The component of a page. Some pages take no props. */
type Shown<Page extends Name> = Component<Props<Page>> | Component<Record<string, never>>;

const only = <Module>({ default: page }: { default: Module }): Module => page;

/** The pages. Most people begin with a plan, so its pages are part of the app. The others are loaded on the first visit. */
const pages: { [Page in Name]: () => Shown<Page> | Promise<Shown<Page>> } = {
  home: () => HomePage,
  plan: () => PlanPage,
  people: () => import('./features/people/PeoplePage.svelte').then(only),
  audit: () => import('./features/audit/AuditPage.svelte').then(only),
  document: () => import('./features/commitment/DocumentPage.svelte').then(only),
  history: () => import('./features/history/HistoryPage.svelte').then(only),
  release: () => import('./features/release/ReleasePage.svelte').then(only),
  verify: () => import('./features/release/VerifyPage.svelte').then(only),
  link: () => import('./features/account/LinkPage.svelte').then(only),
  invitation: () => import('./features/account/InvitationPage.svelte').then(only),
  account: () => import('./features/account/AccountPage.svelte').then(only),
  administration: () => import('./features/administration/AdministrationPage.svelte').then(only),
};

/** The pages that need no account. */
const OPEN: readonly Name[] = ['verify', 'link', 'invitation'];

export const isOpen = (page: Name): boolean => OPEN.includes(page);

/** Returns the component of a page. The caller must pass it the props of that page's route. */
export const load = (page: Name) => pages[page]() as Component<Route & { person: Person }>;
