import { randomUUID } from 'node:crypto';
import type { Claim, WorkerLeases } from '../../ledger/port.ts';

/** A worker that dies is noticed when its lease, of six seconds, was not renewed. */
const EVERY_MS = 1_000;

/** A claim under way, and who is told when it was taken. */
interface Held {
  claim: Claim;
  tell: () => void;
}

/**
 * The lease of a worker process, which the claims of its steps hang on: one row is renewed each second,
 * whatever number of steps wait. Claims that others have taken meanwhile end their steps, and no others.
 */
export class WorkerLease {
  /** Names of processes repeat in containers. */
  readonly id: string;
  readonly #leases: WorkerLeases;
  readonly #held = new Set<Held>();
  readonly #timer: NodeJS.Timeout;
  #losses: string;
  #renewing: Promise<void> | undefined;

  private constructor(leases: WorkerLeases, id: string, losses: string) {
    this.#leases = leases;
    this.id = id;
    this.#losses = losses;
    this.#timer = setInterval(() => {
      this.#renewing ??= this.#renew().finally(() => (this.#renewing = undefined));
    }, EVERY_MS).unref();
  }

  /** @throws {AgentOnceError} `ledger.unreachable`, `ledger.invalid` */
  static async begin(leases: WorkerLeases): Promise<WorkerLease> {
    const id = randomUUID();
    return new WorkerLease(leases, id, await leases.renew(id));
  }

  /**
   * @param tell is called when another attempt has the claim
   * @returns to be called when the attempt is over
   */
  hold(claim: Claim, tell: () => void): () => void {
    const held: Held = { claim, tell };
    this.#held.add(held);
    return () => this.#held.delete(held);
  }

  /** Lets whatever the process leaves behind be taken at once. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
    await this.#leases.end(this.id).catch(() => {});
  }

  async #renew(): Promise<void> {
    try {
      const losses = await this.#leases.renew(this.id);
      if (losses === this.#losses) return;
      const held = [...this.#held];
      const lost = await this.#leases.lost(
        this.id,
        held.map(({ claim }) => claim),
      );
      // Only now: a look that failed is repeated.
      this.#losses = losses;
      for (const { claim, tell } of held) if (lost.includes(claim)) tell();
    } catch {
      // A ledger that is away for a moment decides nothing: the fence does, at completion.
    }
  }
}
