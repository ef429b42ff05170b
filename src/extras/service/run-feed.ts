import { setTimeout as sleep } from 'node:timers/promises';
import { isOpen, scopeOf } from '../../client/view.ts';
import type { RunIdentity } from '../../client/context.ts';
import { getExecution, viewWithQuestions } from '../../client/describe.ts';
import { readOutcome } from '../../client/outcome.ts';
import { explainQuestions } from '../explain/explain-questions.ts';
import { explainSteps } from '../explain/explain-steps.ts';
import type { ExplainedStep } from '../explain/explanation.ts';
import type { ServiceDeps } from './deps.ts';
import { toBody, type RunBody } from './runs.ts';

/** A run and its steps at one moment. */
export interface Snapshot {
  run: RunBody;
  steps: ExplainedStep[];
  ended: boolean;
}

const POLL_MS = 500;

/**
 * What happens in runs, read once for all who follow the same one. It ends with its last follower,
 * and when the run ends.
 */
export class RunFeeds {
  readonly #deps: Pick<ServiceDeps, 'client' | 'ledger'>;
  readonly #feeds = new Map<string, Feed>();

  constructor(deps: Pick<ServiceDeps, 'client' | 'ledger'>) {
    this.#deps = deps;
  }

  /**
   * Calls `onSnapshot` now and about twice a second until the signal or the end of the run.
   *
   * @throws {AgentOnceError} when the run can no longer be read
   */
  async follow(
    run: RunIdentity,
    onSnapshot: (snapshot: Snapshot) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const feed = this.#feeds.get(run.workflowId) ?? this.#open(run);
    await feed.follow(onSnapshot, signal);
  }

  #open(run: RunIdentity): Feed {
    const feed = new Feed(
      () => readSnapshot(this.#deps, run),
      () => this.#feeds.delete(run.workflowId),
    );
    this.#feeds.set(run.workflowId, feed);
    return feed;
  }
}

class Feed {
  readonly #read: () => Promise<Snapshot>;
  readonly #onIdle: () => void;
  readonly #followers = new Set<(snapshot: Snapshot) => void>();
  #latest: Snapshot | undefined;
  #polling: Promise<void> | undefined;

  constructor(read: () => Promise<Snapshot>, onIdle: () => void) {
    this.#read = read;
    this.#onIdle = onIdle;
  }

  async follow(onSnapshot: (snapshot: Snapshot) => void, signal: AbortSignal): Promise<void> {
    this.#followers.add(onSnapshot);
    try {
      if (this.#latest) onSnapshot(this.#latest);
      this.#polling ??= this.#poll();
      await Promise.race([this.#polling, aborted(signal)]);
    } finally {
      this.#followers.delete(onSnapshot);
    }
  }

  async #poll(): Promise<void> {
    try {
      while (this.#followers.size > 0) {
        this.#latest = await this.#read();
        for (const tell of this.#followers) tell(this.#latest);
        if (this.#latest.ended) return;
        await sleep(POLL_MS);
      }
    } finally {
      this.#onIdle();
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
}

async function readSnapshot(
  { client: { context }, ledger }: Pick<ServiceDeps, 'client' | 'ledger'>,
  run: RunIdentity,
): Promise<Snapshot> {
  const execution = await getExecution(context, run);
  const open = isOpen(execution);
  const scope = scopeOf(execution);
  const [records, asked, view] = await Promise.all([
    ledger.steps(scope),
    ledger.questions(scope),
    open ? viewWithQuestions(context, run, execution) : readOutcome(context, run, execution),
  ]);
  return {
    run: toBody(view),
    steps: explainSteps(records, execution.runId, explainQuestions(asked, view)),
    ended: !open,
  };
}
