import type { ServiceDeps } from '../service/deps.ts';
import type { Inbox } from './inbox.ts';
import type { QuestionLists } from './question-lists.ts';

/** What the routes of the page share. */
export interface PageDeps extends ServiceDeps {
  inbox: Inbox;
  /** `undefined`: the ledger has no lists of questions. */
  lists: QuestionLists | undefined;
}
