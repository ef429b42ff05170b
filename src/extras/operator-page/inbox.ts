import type { AgentOnceClient } from '../../client/agent-once-client.ts';
import type { RunSummary } from '../../client/types.ts';
import type { OpenQuestion } from '../../contract/decision.ts';

/** A question that waits for a person. */
export interface WaitingQuestion {
  run: Pick<RunSummary, 'workflowId' | 'agent' | 'key' | 'shadow'>;
  question: OpenQuestion;
}

export interface WaitingList {
  /** Oldest first. */
  questions: WaitingQuestion[];
  /** Questions that runs ask besides those that Temporal's list shows of them. */
  unseen: number;
  /** Whether more runs wait than were read. */
  cut: boolean;
}

/** Runs that are read at most: 25 requests to Temporal, which sorts them by their start. */
const MOST_RUNS = 5_000;
const PAGE = 200;
/** One reading serves everybody who looks at the same moment. */
const FRESH_MS = 2_000;
/** Temporal's list lags behind: what was answered here a moment ago is not shown again. */
const LAG_MS = 60_000;

/** What waits for people, tenant by tenant, as Temporal has it. */
export class Inbox {
  readonly #client: Pick<AgentOnceClient, 'page'>;
  readonly #read = new Map<string, { at: number; list: Promise<WaitingList> }>();
  readonly #answered = new Map<string, number>();

  constructor(client: Pick<AgentOnceClient, 'page'>) {
    this.#client = client;
  }

  /** @throws {AgentOnceError} `temporal.…` */
  async of(tenant: string): Promise<WaitingList> {
    const list = await this.#latest(tenant);
    return {
      ...list,
      questions: list.questions.filter(({ run, question }) => !this.#hides(run, question)),
    };
  }

  /** Leaves a question out from now on: it has its answer. */
  answered(run: { workflowId: string }, question: Pick<OpenQuestion, 'step' | 'round'>): void {
    const now = Date.now();
    for (const [id, at] of this.#answered) if (now - at > LAG_MS) this.#answered.delete(id);
    this.#answered.set(idOf(run, question), now);
  }

  #hides(run: { workflowId: string }, question: OpenQuestion): boolean {
    const at = this.#answered.get(idOf(run, question));
    return at !== undefined && Date.now() - at <= LAG_MS;
  }

  #latest(tenant: string): Promise<WaitingList> {
    const now = Date.now();
    const before = this.#read.get(tenant);
    if (before && now - before.at < FRESH_MS) return before.list;
    const list = this.#ask(tenant);
    this.#read.set(tenant, { at: now, list });
    // Whoever comes next asks again.
    list.catch(() => this.#read.delete(tenant));
    return list;
  }

  async #ask(tenant: string): Promise<WaitingList> {
    const questions: WaitingQuestion[] = [];
    let [runs, unseen, cursor]: [number, number, string | undefined] = [0, 0, undefined];
    do {
      const page = await this.#client.page({ tenant, status: 'waiting' }, { limit: PAGE, cursor });
      for (const { workflowId, agent, key, shadow, waiting, waitingMore = 0 } of page.runs) {
        const run = { workflowId, agent, key, shadow };
        for (const question of waiting) questions.push({ run, question });
        unseen += waitingMore;
      }
      runs += PAGE;
      cursor = page.next ?? undefined;
    } while (cursor !== undefined && runs < MOST_RUNS);
    questions.sort((a, b) => a.question.askedAt.localeCompare(b.question.askedAt));
    return { questions, unseen, cut: cursor !== undefined };
  }
}

function idOf(run: { workflowId: string }, { step, round }: Pick<OpenQuestion, 'step' | 'round'>) {
  return `${run.workflowId} ${step} ${round}`;
}
