import { randomUUID } from 'node:crypto';
import type { Claim, LeftStep, WorkerLeases } from '../../ledger/port.ts';

/** A worker that dies is noticed when its lease, of five seconds, was not renewed. */
const EVERY_MS = 1_000;
/** Of those that a dead worker has left behind. */
const AT_ONCE = 20;

/** A claim under way. */
export interface HeldClaim {
  claim: Claim;
  /** Temporal's run ID of the execution that it is made in. */
  runId: string;
  /** Another attempt has it. */
  lost(): void;
  /** Its execution was cancelled: Temporal is to be asked. */
  cancelled(): void;
}

/**
 * The lease of a worker process, which the claims of its steps hang on: one row is renewed each second,
 * whatever number of steps wait. Claims that others have taken meanwhile end their steps, and no others.
 * Where others are over, it looks for what their workers have left behind.
 */
export class WorkerLease {
  /** Names of processes repeat in containers. */
  readonly id = randomUUID();
  readonly #leases: WorkerLeases;
  readonly #tell: (step: LeftStep) => Promise<void>;
  readonly #held = new Set<HeldClaim>();
  #timer: NodeJS.Timeout | undefined;
  #losses = '0';
  #cancelled: string[] = [];
  #renewing: Promise<void> | undefined;
  #looking = false;
  #closed = false;

  /** @param tell lets Temporal know that an attempt is over */
  constructor(leases: WorkerLeases, tell: (step: LeftStep) => Promise<void>) {
    this.#leases = leases;
    this.#tell = tell;
  }

  /** @throws {AgentOnceError} `ledger.unreachable`, `ledger.invalid` */
  async begin(): Promise<void> {
    this.#losses = (await this.#leases.renew(this.id)).losses;
    this.#timer = setInterval(() => {
      this.#renewing ??= this.#renew().finally(() => (this.#renewing = undefined));
    }, EVERY_MS).unref();
  }

  /** @returns to be called when the attempt is over */
  hold(held: HeldClaim): () => void {
    this.#held.add(held);
    if (this.#cancelled.includes(held.runId)) held.cancelled();
    return () => this.#held.delete(held);
  }

  /** Lets whatever the process leaves behind be taken at once. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    // What is told of others' steps is not waited for: others tell it too.
    this.#closed = true;
    await this.#renewing;
    await this.#leases.end(this.id).catch(ignore);
  }

  /** A ledger that is away for a moment decides nothing: the fence does, at completion. */
  async #renew(): Promise<void> {
    try {
      const { losses, cancelled, over } = await this.#leases.renew(this.id);
      if (over && !this.#looking) void this.#look();
      const held = [...this.#held];
      const others = cancelled.filter((runId) => !this.#cancelled.includes(runId));
      this.#cancelled = cancelled;
      for (const each of held) if (others.includes(each.runId)) each.cancelled();
      if (losses === this.#losses) return;
      const claims = held.map(({ claim }) => claim);
      const lost = await this.#leases.lost(this.id, claims);
      // Only now: a look that failed is repeated.
      this.#losses = losses;
      for (const each of held) if (lost.includes(each.claim)) each.lost();
    } catch {}
  }

  /** What is not told now is told at the next look, or found out by the missing heartbeats. */
  async #look(): Promise<void> {
    this.#looking = true;
    try {
      const left = await this.#leases.left();
      while (left.length > 0 && !this.#closed) {
        const some = left.splice(0, AT_ONCE);
        await Promise.all(some.map((step) => this.#tell(step).catch(ignore)));
      }
    } catch {
    } finally {
      this.#looking = false;
    }
  }
}

function ignore(): void {}
