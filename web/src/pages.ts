// Finds the component of each route. A page receives the values in its address, and the person who is signed in.

import type { Component } from 'svelte';
import type { Person } from './api/client';
import HomePage from './features/plan/HomePage.svelte';
import PlanPage from './features/plan/PlanPage.svelte';
import type { Route } from './frame/route';

type PageName = Route['page'];
type PageProps<Page extends PageName> = Extract<Route, { page: Page }> & { person: Person };
/** The component of a page. Some pages take no props. */
type PageComponent<Page extends PageName> = Component<PageProps<Page>> | Component<Record<string, never>>;

const defaultExport = <Module>({ default: page }: { default: Module }): Module => page;

/**
 * The pages. Most people begin with a plan, so the list of plans and the page of a plan are part of the app. Each other
 * page is loaded when somebody first opens it.
 */
const pages: { [Page in PageName]: () => PageComponent<Page> | Promise<PageComponent<Page>> } = {
  home: () => HomePage,
  plan: () => PlanPage,
  people: () => import('./features/people/PeoplePage.svelte').then(defaultExport),
  audit: () => import('./features/audit/AuditPage.svelte').then(defaultExport),
  document: () => import('./features/commitment/DocumentPage.svelte').then(defaultExport),
  history: () => import('./features/history/HistoryPage.svelte').then(defaultExport),
  release: () => import('./features/release/ReleasePage.svelte').then(defaultExport),
  verify: () => import('./features/release/VerifyPage.svelte').then(defaultExport),
  link: () => import('./features/account/LinkPage.svelte').then(defaultExport),
  invitation: () => import('./features/account/InvitationPage.svelte').then(defaultExport),
  account: () => import('./features/account/AccountPage.svelte').then(defaultExport),
  administration: () => import('./features/administration/AdministrationPage.svelte').then(defaultExport),
};

/** The pages that need no account. */
const PAGES_WITHOUT_ACCOUNT: readonly PageName[] = ['verify', 'link', 'invitation'];

export const needsNoAccount = (page: PageName): boolean => PAGES_WITHOUT_ACCOUNT.includes(page);

/** Returns the component of a page. The caller must pass it the props of that page's route. */
export const loadPage = (page: PageName) => pages[page]() as Component<Route & { person: Person }>;
