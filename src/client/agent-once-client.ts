import type { DecisionInput, CountedDecision } from '../contract/decision.ts';
import type { RunState } from '../contract/run.ts';
import { cancelRun } from './cancel.ts';
import { createContext, identify, type ClientContext } from './context.ts';
import { decideStep } from './decide.ts';
import { describeRun } from './describe.ts';
import { readState } from './live-state.ts';
import { forgetRun, type ForgottenRun } from './forget.ts';
import { listRuns } from './list.ts';
import { resumeRun } from './resume.ts';
import { startRun } from './start.ts';
import type {
  CancelledRun,
  ClientOptions,
  ListFilter,
  ResumeOptions,
  RunRef,
  RunSummary,
  RunView,
  StartedRun,
  StartRequest,
  WaitOptions,
} from './types.ts';
import { waitForEnd } from './wait.ts';

/**
 * Starts agents' runs and finds them again by their keys. Temporal is the only store that decides
 * whether a run exists, so any number of clients in any number of processes agree.
 *
 * Every method throws `AgentOnceError`: `name.invalid` and `key.invalid` before anything is sent,
 * and `temporal.…` when the server cannot be reached or refuses.
 */
export class AgentOnceClient {
  readonly #context: ClientContext;

  constructor(options: ClientOptions) {
    this.#context = createContext(options);
  }

  /**
   * Starts a run, or returns the one that the key already names: attached to while it runs, its
   * stored outcome, good or bad, afterwards. Does not wait for the end.
   *
   * @throws {AgentOnceError} `key.conflict` when the key names another request; `agent.unknown`,
   *   `input.invalid`, `input.too_large`, `options.invalid`
   */
  start(request: StartRequest): Promise<StartedRun> {
    return startRun(this.#context, request);
  }

  /**
   * Goes on where a run stopped that failed, or was cancelled or terminated: as `start` with
   * `retryFailed`, without its input, which Temporal has. One that is under way or has completed is
   * returned as it stands.
   *
   * @throws {AgentOnceError} `run.not_found`, of a forgotten run too; `run.expired`: its key is new;
   *   `run.request_unknown`: start it with its input; `agent.unknown`, `options.invalid`
   */
  async resume(ref: RunRef, { limits }: ResumeOptions = {}): Promise<StartedRun> {
    const run = identify(this.#context, ref);
    return resumeRun(this.#context, run, limits === undefined ? {} : { limits });
  }

  /** @throws {AgentOnceError} `run.not_found` */
  async describe(ref: RunRef): Promise<RunView> {
    return describeRun(this.#context, identify(this.#context, ref));
  }

  /**
   * Waits for the end of a run: resolves with its completed, failed or cancelled view. With
   * `runId`, of a start's answer, it is that run's end, and takes one request less.
   *
   * @throws {AgentOnceError} `run.still_running` at the deadline, the run going on; `run.not_found`
   */
  async result(ref: RunRef, options: WaitOptions = {}): Promise<RunView> {
    return waitForEnd(this.#context, identify(this.#context, ref), options);
  }

  /** The running picture; `undefined` when no worker answers within 1.5 s. */
  async state(ref: RunRef): Promise<RunState | undefined> {
    return readState(this.#context, identify(this.#context, ref).workflowId);
  }

  /**
   * Answers what a run asks about one of its steps: see `RunView.waiting`. The same answer again
   * changes nothing. Takes a worker. With `runId`, of the view that was shown, it is an answer to that
   * execution's question, and to none of another run that has the key by now.
   *
   * @throws {AgentOnceError} `decision.conflict`: somebody has decided otherwise;
   *   `decision.not_asked`, `decision.invalid`, `run.not_found`
   */
  async decide(
    ref: RunRef,
    decision: DecisionInput,
    options: { runId?: string } = {},
  ): Promise<CountedDecision> {
    return decideStep(this.#context, identify(this.#context, ref), decision, options);
  }

  /**
   * Makes the key of a run that has ended new again. What its steps did stays done, and stays in
   * the ledger.
   *
   * @throws {AgentOnceError} `run.not_found`; `run.still_running`: cancel it first
   */
  async forget(ref: RunRef): Promise<ForgottenRun> {
    return forgetRun(this.#context, identify(this.#context, ref));
  }

  /** Open runs first, then the latest. */
  list(filter: ListFilter = {}): AsyncIterable<RunSummary> {
    return listRuns(this.#context, filter);
  }

  /**
   * Asks a run to stop, which takes a worker; a run that has ended stays as it is.
   *
   * @throws {AgentOnceError} `run.not_found`
   */
  async cancel(ref: RunRef): Promise<CancelledRun> {
    return cancelRun(this.#context, identify(this.#context, ref));
  }
}
