import type { ServiceDeps } from '../service/deps.ts';
import type { Inbox } from './inbox.ts';

/** What the routes of the page share. */
export interface PageDeps extends ServiceDeps {
  inbox: Inbox;
}
