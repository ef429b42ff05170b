import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context } from '@temporalio/activity';
import { AgentOnceError } from '../../contract/errors.ts';
import { FAST_LANE, type StepPolicy } from '../../contract/settings.ts';
import type { Claim, Ledger, SeenRecords, StepClaim } from '../../ledger/port.ts';
import type { ActivityDeps } from '../deps.ts';
import { everyAtOnce } from './at-once.ts';
import { onCancelled } from './halt.ts';
import type { WorkerLease } from './worker-lease.ts';

export const CLAIM_LOST = 'Another attempt has taken this step over; its result counts.';

/**
 * Where each step renews its own claim, an answer to a heartbeat brings the cancellation: often enough
 * not to pay for what nobody wants.
 */
const HEARTBEAT_MS = 1_000;
/**
 * Where its worker's lease says that it lives, a heartbeat only has to be in time: each is a write in
 * Temporal, and an action that Temporal Cloud bills.
 */
const HEARTBEAT_MARGIN_MS = 15_000;

/** What a claim that hangs on its worker's lease holds beyond the time of its attempt. */
const HOLD_MARGIN_MS = 5_000;

/** What a heartbeat carries: the claim that an attempt had, for the one after it. */
type Held = Required<Pick<SeenRecords, 'ledger' | 'fence'>>;

/**
 * The claim of an earlier attempt, as its last heartbeat had it: a ledger with a lower fence was
 * restored since.
 */
export function heldBefore({ info }: Context): Held | undefined {
  const details = info.heartbeatDetails as Partial<Held> | null | undefined;
  const { ledger, fence } = details ?? {};
  return ledger === undefined || fence === undefined ? undefined : { ledger, fence };
}

/**
 * Keeps an attempt alive while it really works, also when its signal has aborted and the work does
 * not care: heartbeats to Temporal, and, once there is a claim, renews its lease. Apart from each
 * other, so that a slow database does not cost the heartbeat. Ends with the attempt's time: a lease
 * that nobody works under must run out. In the fast lane it does neither, and keeps the time only.
 */
export class Lease {
  /** Aborts when the run is cancelled, the worker stops, the claim is lost, or the time is over. */
  readonly signal: AbortSignal;
  /** Aborts when the attempt's time is over. */
  readonly limit: AbortSignal;
  /** In the fast lane it holds for as long as the attempt may take. */
  readonly leaseMs: number;
  /** What a claim of a step in the standard lane hangs on. */
  readonly ofWorker: StepClaim['lease'];
  readonly #work = new AbortController();
  readonly #over: NodeJS.Timeout;
  readonly #stopped: AbortSignal;
  readonly #heartbeat: NodeJS.Timeout | undefined;
  readonly #context: Context;
  #held: Held | undefined;
  readonly #worker: WorkerLease | undefined;
  #letGo: () => void = () => {};

  /**
   * Its times are the policy's, but never more than what Temporal was told when the step was
   * scheduled, by a caller who may not have known the policy.
   *
   * @param stopped aborts when the worker stops: for the fast lane, which Temporal does not tell
   * @param worker renews for all of its steps; absent: each renews its own claim
   * @param outlives whether the attempt goes on when Temporal has given it up
   */
  constructor(
    context: Context,
    policy: StepPolicy,
    deps: Pick<ActivityDeps, 'stopped' | 'lease' | 'pushed' | 'isOpen'>,
    outlives: boolean,
  ) {
    const { stopped, lease: worker } = deps;
    const { startToCloseTimeoutMs, isLocal } = context.info;
    const { heartbeatTimeoutMs = policy.heartbeatMs } = context.info;
    const limitMs = Math.min(policy.startToCloseMs, startToCloseTimeoutMs);
    // Not AbortSignal.timeout: it would keep every attempt in memory until its time is over.
    const limit = new AbortController();
    this.limit = limit.signal;
    this.signal = this.#work.signal;
    this.#over = setTimeout(() => {
      limit.abort(new DOMException('The time of the attempt is over.', 'TimeoutError'));
      this.fail(limit.signal.reason);
      this.stop();
    }, limitMs).unref();
    onCancelled(context, deps, outlives, (reason) => this.fail(reason));
    this.#stopped = stopped;
    this.#context = context;
    this.#held = heldBefore(context);
    if (isLocal) {
      this.leaseMs = limitMs + FAST_LANE.leaseMarginMs;
      stopped.addEventListener('abort', this.#interrupt);
      return;
    }
    this.leaseMs = Math.min(policy.leaseMs, heartbeatTimeoutMs);
    this.#worker = worker;
    this.ofWorker = worker && { id: worker.id, holdMs: limitMs + HOLD_MARGIN_MS };
    const often = Math.max(50, Math.min(HEARTBEAT_MS, Math.floor(heartbeatTimeoutMs / 3)));
    const everyMs = worker ? Math.max(often, heartbeatTimeoutMs - HEARTBEAT_MARGIN_MS) : often;
    this.#heartbeat = setInterval(() => context.heartbeat(this.#held), everyMs);
  }

  /**
   * Keeps the claim from now on, where the attempt has a heartbeat: as one of its worker's, or by
   * renewing it each third of its lease.
   *
   * @param held what the heartbeats carry from now on
   * @param atOnce whether the first is sent now: it costs a request that most steps do without
   */
  hold(ledger: Ledger, claim: Claim, held: Held, atOnce: boolean): void {
    if (this.#heartbeat === undefined) return;
    this.#held = held;
    if (atOnce) this.#context.heartbeat(held);
    if (this.#worker) {
      this.#letGo = this.#worker.hold({
        claim,
        runId: this.#context.info.workflowExecution?.runId ?? '',
        lost: AsyncLocalStorage.bind(() => this.#lose()),
        // The answer brings it.
        cancelled: () => this.#context.heartbeat(held),
      });
      return;
    }
    let asking = false;
    const keep = async (): Promise<void> => {
      if (asking) return;
      asking = true;
      try {
        if ((await ledger.renew(claim)) || (await isHeldUnknown(ledger, claim))) return;
        this.#letGo();
        this.#lose();
      } catch {
        // A database that is away for a moment decides nothing: the fence does, at completion.
      } finally {
        asking = false;
      }
    };
    const everyMs = Math.max(50, Math.floor(claim.leaseMs / 3));
    this.#letGo = everyAtOnce(everyMs, () => void keep());
  }

  stop(): void {
    this.#stopped.removeEventListener('abort', this.#interrupt);
    clearTimeout(this.#over);
    clearInterval(this.#heartbeat);
    this.#letGo();
  }

  /** In the step's own context, as everything that calls its listeners: they may throw. */
  readonly #interrupt = AsyncLocalStorage.bind(() => this.fail(this.#stopped.reason));

  #lose(): void {
    this.fail(new AgentOnceError('step.claim_lost', CLAIM_LOST));
  }

  /** Tells the work that it has failed, and why. */
  fail(error: unknown): void {
    this.#work.abort(error);
  }
}

/** Given up, and nobody has decided how it ended: its own word, when it comes, still counts. */
export async function isHeldUnknown(
  ledger: Ledger,
  { scope, step, fence }: Claim,
): Promise<boolean> {
  const held = await ledger.step(scope, step);
  return held?.state === 'unknown' && held.fence === fence;
}
