import type { AgentOnceClient } from '../../client/agent-once-client.ts';
import type { OpenQuestion } from '../../contract/decision.ts';
import type { QuestionLists } from './question-lists.ts';
import { WaitingInLedger } from './waiting-in-ledger.ts';
import { readFromTemporal } from './waiting-in-temporal.ts';
import type { WaitingPage, WaitingQuestion } from './waiting-page.ts';

/** Questions on one page. */
const SHOWN = 50;
/** One reading serves everybody who looks at the same moment. */
const FRESH_MS = 2_000;
/** Temporal's list lags behind: what was answered here a moment ago is not shown again. */
const LAG_MS = 60_000;

/** What waits for people, tenant by tenant. */
export class Inbox {
  readonly #source: (tenant: string, from: string | undefined) => Promise<WaitingPage>;
  readonly #read = new Map<string, { at: number; page: Promise<WaitingPage> }>();
  readonly #answered = new Map<string, number>();

  /** @param lists `undefined`: the ledger has none, and Temporal's list is read */
  constructor(client: AgentOnceClient, lists: QuestionLists | undefined) {
    const inLedger = lists && new WaitingInLedger(lists, client.context);
    this.#source = (tenant, from) =>
      inLedger ? inLedger.read(tenant, SHOWN, from) : readFromTemporal(client, tenant, SHOWN, from);
  }

  /**
   * @param from `next` of the page before; default: the first page
   * @throws {AgentOnceError} `temporal.…`, `ledger.…`
   * @throws {HttpProblem} `http.bad_request`: `from` is no page
   */
  async of(tenant: string, from?: string): Promise<WaitingPage> {
    const page = await this.#latest(tenant, from);
    const questions = page.questions.filter((each) => !this.#hides(each));
    const hidden = page.questions.length - questions.length;
    return { ...page, questions, count: page.count - (page.isExact ? hidden : 0) };
  }

  /** Leaves a question out from now on: it has its answer. What is asked later under its name is another. */
  answered(run: { workflowId: string }, question: Name): void {
    const now = Date.now();
    for (const [id, at] of this.#answered) if (now - at > LAG_MS) this.#answered.delete(id);
    this.#answered.set(idOf(run, question), now);
  }

  #hides({ run, question }: WaitingQuestion): boolean {
    const at = this.#answered.get(idOf(run, question));
    return at !== undefined && Date.now() - at <= LAG_MS && Date.parse(question.askedAt) <= at;
  }

  #latest(tenant: string, from: string | undefined): Promise<WaitingPage> {
    const now = Date.now();
    for (const [id, { at }] of this.#read) if (now - at >= FRESH_MS) this.#read.delete(id);
    const id = JSON.stringify([tenant, from]);
    const before = this.#read.get(id);
    if (before) return before.page;
    const page = this.#source(tenant, from);
    this.#read.set(id, { at: now, page });
    // Whoever comes next asks again.
    page.catch(() => this.#read.delete(id));
    return page;
  }
}

/** Rounds count the questions of one kind. */
type Name = Pick<OpenQuestion, 'step' | 'kind' | 'round'>;

function idOf({ workflowId }: { workflowId: string }, { step, kind, round }: Name): string {
  return `${workflowId} ${step} ${kind} ${round}`;
}
