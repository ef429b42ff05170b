import type { ClientContext } from '../../client/context.ts';
import { listPage } from '../../client/list.ts';
import type { RunSummary } from '../../client/types.ts';
import type { LedgerQuestion, QuestionLists } from './question-lists.ts';
import type { WaitingPage, WaitingQuestion } from './waiting-page.ts';

/** Questions of one statement, and of one request to Temporal. */
const BATCH = 100;
/** For one page, where old questions of ended runs are in the way: then the page is shorter. */
const MOST_REQUESTS = 20;
const MOST_BATCHES = 200;
/** Temporal's list may not have what was asked a moment ago. */
const LAG_MS = 60_000;
/**
 * A question that its run did not ask is left out for so long before its run is looked at again: it may
 * have been between the ledger and the run.
 */
const GONE_MS = 30_000;
const MOST_GONE = 100_000;

/**
 * What waits, by the ledger's list of open questions, which is sorted by their age. Of a run that was
 * ended from outside the ledger keeps open questions: Temporal says which runs still ask.
 */
export class WaitingInLedger {
  readonly #lists: QuestionLists;
  readonly #context: ClientContext;
  /** Questions that no run asks, and until when that is not looked at again. */
  readonly #gone = new Map<string, number>();

  constructor(lists: QuestionLists, context: ClientContext) {
    this.#lists = lists;
    this.#context = context;
  }

  /**
   * @param from `next` of the page before
   * @throws {AgentOnceError} `temporal.…`, `ledger.…`
   * @throws {HttpProblem} `http.bad_request`: `from` is no page
   */
  async read(tenant: string, limit: number, from?: string): Promise<WaitingPage> {
    const questions: WaitingQuestion[] = [];
    let position = from;
    let [batches, requests] = [0, 0];
    while (batches < MOST_BATCHES && requests < MOST_REQUESTS) {
      const { items, next } = await this.#lists.open(tenant, BATCH, position);
      const maybe = items.filter((each) => !this.#isGone(each));
      const asked = maybe.length === 0 ? undefined : await this.#stillAsked(tenant, maybe);
      for (const item of items) {
        const question = asked?.get(item);
        if (question && questions.length === limit) return this.#page(tenant, questions, position);
        if (question) questions.push(question);
        position = item.cursor;
      }
      if (next === undefined) {
        const { length } = questions;
        return from === undefined
          ? { questions, next, count: length, isExact: true, unseen: 0 }
          : this.#page(tenant, questions, next);
      }
      batches += 1;
      if (asked) requests += 1;
    }
    return this.#page(tenant, questions, position);
  }

  async #page(
    tenant: string,
    questions: WaitingQuestion[],
    next: string | undefined,
  ): Promise<WaitingPage> {
    const count = await this.#lists.countOpen(tenant);
    return { questions, next, count, isExact: false, unseen: 0 };
  }

  /** The questions that runs ask now, as these show them. */
  async #stillAsked(
    tenant: string,
    asked: readonly LedgerQuestion[],
  ): Promise<Map<LedgerQuestion, WaitingQuestion>> {
    const workflowIds = [...new Set(asked.map(({ workflowId }) => workflowId))];
    const filter = { tenant, status: 'waiting' as const, workflowIds };
    const runs = new Map<string, RunSummary>();
    let cursor: string | undefined;
    do {
      const page = await listPage(this.#context, filter, { limit: BATCH, cursor });
      for (const run of page.runs) runs.set(run.workflowId, run);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    const found = new Map<LedgerQuestion, WaitingQuestion>();
    for (const question of asked) {
      const run = runs.get(question.workflowId);
      const shown = run && asShown(run, question);
      if (shown) found.set(question, shown);
      else this.#leaveOut(question);
    }
    return found;
  }

  #leaveOut(question: LedgerQuestion): void {
    const now = Date.now();
    if (now - Date.parse(question.askedAt) < LAG_MS) return;
    if (this.#gone.size >= MOST_GONE) this.#gone.clear();
    this.#gone.set(idOf(question), now + GONE_MS);
  }

  #isGone(question: LedgerQuestion): boolean {
    return (this.#gone.get(idOf(question)) ?? 0) > Date.now();
  }
}

/** The question as the run shows it; of many, a run shows the first, and the ledger knows the others. */
function asShown(run: RunSummary, asked: LedgerQuestion): WaitingQuestion | undefined {
  const { step, kind, round, askedAt, name } = asked;
  const shown = run.waiting.find(
    (each) => each.step === step && each.kind === kind && each.round === round,
  );
  if (shown) return { run, question: shown };
  if (!run.waitingMore || run.runId !== asked.runId) return undefined;
  return { run, question: { step, kind, round, askedAt, tool: name ?? '', summary: '' } };
}

/** Whoever takes a question over asks it again, at another time. */
function idOf({ workflowId, step, kind, round, askedAt }: LedgerQuestion): string {
  return `${workflowId} ${step} ${kind} ${round} ${askedAt}`;
}
