import { tracingChannel } from 'node:diagnostics_channel';
import type { CleanupReport } from '../contract/cleanup.ts';
import type { DecisionInput, CountedDecision } from '../contract/decision.ts';
import type { JsonValue } from '../contract/json-value.ts';
import type { RunState } from '../contract/run.ts';
import { cancelRun } from './cancel.ts';
import { cleanNow } from './cleanup.ts';
import { createContext, identify, nameOf, type ClientContext } from './context.ts';
import { decideStep, type DecideOptions } from './decide.ts';
import { describeRun } from './describe.ts';
import { hasWorker, readState } from './live-state.ts';
import { forgetRun, type ForgottenRun } from './forget.ts';
import { listPage, listRuns, type RunPage } from './list.ts';
import { resumeRun } from './resume.ts';
import { startRun } from './start.ts';
import type {
  ByAgent,
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

/** For whoever counts or traces starts: an event has `{ request, result, error }` of one. */
const starts = tracingChannel('agent-once:start');

/**
 * Starts agents' runs and finds them again by their keys. Temporal is the only store that decides
 * whether a run exists, so any number of clients in any number of processes agree.
 *
 * Every method throws `AgentOnceError`: `name.invalid` and `key.invalid` before anything is sent,
 * and `temporal.…` when the server cannot be reached or refuses.
 */
export class AgentOnceClient {
  /** For extras, which read more of Temporal than the methods do. */
  readonly context: ClientContext;
  readonly #close: () => Promise<void>;

  constructor(options: ClientOptions) {
    this.context = createContext(options);
    this.#close = options.close ?? (() => Promise.resolve());
  }

  /**
   * Starts a run, or returns the one that the key already names: attached to while it runs, its
   * stored outcome, good or bad, afterwards. Does not wait for the end.
   *
   * @throws {AgentOnceError} `key.conflict` when the key names another request; `agent.unknown`,
   *   `input.invalid`, `input.too_large`, `options.invalid`
   */
  start<Output = JsonValue>(request: ByAgent<StartRequest, Output>): Promise<StartedRun<Output>> {
    const named = { ...request, agent: nameOf(request.agent) };
    const started = starts.tracePromise(() => startRun(this.context, named), { request: named });
    return started as Promise<StartedRun<Output>>;
  }

  /**
   * Goes on where a run stopped that failed, or was cancelled or terminated: as `start` with
   * `retryFailed`, without its input, which Temporal has. One that is under way or has completed is
   * returned as it stands.
   *
   * @throws {AgentOnceError} `run.not_found`, of a forgotten run too; `run.expired`: its key is new;
   *   `run.request_unknown`: start it with its input; `agent.unknown`, `options.invalid`
   */
  async resume<Output = JsonValue>(
    ref: ByAgent<RunRef, Output>,
    { limits }: ResumeOptions = {},
  ): Promise<StartedRun<Output>> {
    const run = identify(this.context, ref);
    const resumed = resumeRun(this.context, run, limits === undefined ? {} : { limits });
    return resumed as Promise<StartedRun<Output>>;
  }

  /** @throws {AgentOnceError} `run.not_found` */
  async describe<Output = JsonValue>(ref: ByAgent<RunRef, Output>): Promise<RunView<Output>> {
    return describeRun(this.context, identify(this.context, ref)) as Promise<RunView<Output>>;
  }

  /**
   * Waits for the end of a run: resolves with its completed, failed or cancelled view. With
   * `runId`, of a start's answer, it is that run's end, and takes one request less.
   *
   * @throws {AgentOnceError} `run.still_running` at the deadline, the run going on; `run.not_found`
   */
  async result<Output = JsonValue>(
    ref: ByAgent<RunRef, Output>,
    options: WaitOptions = {},
  ): Promise<RunView<Output>> {
    const ended = waitForEnd(this.context, identify(this.context, ref), options);
    return ended as Promise<RunView<Output>>;
  }

  /** The running picture; `undefined` when no worker answers within 1.5 s. */
  async state(ref: ByAgent<RunRef>): Promise<RunState | undefined> {
    return readState(this.context, identify(this.context, ref).workflowId);
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
    ref: ByAgent<RunRef>,
    decision: DecisionInput,
    options: DecideOptions = {},
  ): Promise<CountedDecision> {
    return decideStep(this.context, identify(this.context, ref), decision, options);
  }

  /**
   * Makes the key of a run that has ended new again. What its steps did stays done, and stays in
   * the ledger.
   *
   * @throws {AgentOnceError} `run.not_found`; `run.still_running`: cancel it first
   */
  async forget(ref: ByAgent<RunRef>): Promise<ForgottenRun> {
    return forgetRun(this.context, identify(this.context, ref));
  }

  /** Open runs first, then the latest. */
  list(filter: ListFilter = {}): AsyncIterable<RunSummary> {
    return listRuns(this.context, filter);
  }

  /** One page of `list`, for callers who come back for the next; `cursor` is `next` of the last. */
  page(
    filter: ListFilter & { workflowIds?: readonly string[] },
    options: { limit: number; cursor?: string | undefined },
  ): Promise<RunPage> {
    return listPage(this.context, filter, options);
  }

  /**
   * Asks a run to stop, which takes a worker; a run that has ended stays as it is.
   *
   * @throws {AgentOnceError} `run.not_found`
   */
  async cancel(ref: ByAgent<RunRef>): Promise<CancelledRun> {
    return cancelRun(this.context, identify(this.context, ref));
  }

  /** Whether a worker polls for runs; a killed one counts for up to a minute. */
  hasWorker(): Promise<boolean> {
    return hasWorker(this.context);
  }

  /**
   * Has a worker remove from the ledger what no run needs any more, or only look what that would be,
   * and waits for the report. One that was asked for before and goes on is waited for.
   *
   * @throws {AgentOnceError} `run.still_running` when no report came in time; `run.failed`
   */
  cleanup(options: { dryRun: boolean; timeoutMs: number }): Promise<CleanupReport> {
    return cleanNow(this.context, options);
  }

  /** Ends the connection that `createClient` made. Runs go on. */
  close(): Promise<void> {
    return this.#close();
  }
}
