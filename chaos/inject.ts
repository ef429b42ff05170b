import { setTimeout as sleep } from 'node:timers/promises';
import { signalProcess } from '../src/extras/dev/child-process.ts';
import { nameFault, type Fault, type Server } from './faults.ts';
import type { LedgerWatch } from './ledger-watch.ts';
import type { Random } from './random.ts';
import type { Effect } from './scenario.ts';
import type { ChaosServers } from './servers.ts';
import type { Arrival, Shop } from './shop.ts';
import type { ChaosWorker, WorkerPool } from './workers.ts';

/** A process that was stopped past its lease. Times in milliseconds since 1970. */
export interface Zombie {
  pid: number;
  /** `null`: it never went on. */
  continuedAt: number | null;
  /** With SIGKILL; `null`: it was not. */
  killedAt: number | null;
}

/** What became of the faults. */
export interface Injected {
  /** SIGKILLs of workers, at fault points and at any moment. */
  kills: number;
  /** Processes that were stopped past their lease and continued; one may be so again. */
  zombies: Zombie[];
  /** All of them, by name. */
  byName: Map<string, number>;
  /**
   * Faults that no step reached in time, or zombies whose step nobody took over: it was done at
   * another moment.
   */
  missed: string[];
}

export interface Victims {
  servers: ChaosServers;
  workers: WorkerPool;
  shop: Shop;
  ledger: LedgerWatch;
  /** The workflow ID of the run that must have an effect. */
  workflowOf: (effect: Effect) => string | undefined;
  /** The longest lease of any step, in milliseconds: who is stopped for longer has lost it. */
  leaseMs: number;
  /** How long a fault waits for the step that it is meant for, in milliseconds. */
  patienceMs: number;
  /** Every tool says when it is about to act. */
  announces: boolean;
  random: Random;
}

/** Where it is not known whether a tool announces itself. */
const ARRIVED_WITHIN_MS = 15_000;

/** Does one fault after another, each to its end. */
export class Injector {
  readonly injected: Injected = { kills: 0, zombies: [], byName: new Map(), missed: [] };
  readonly #victims: Victims;
  readonly #waiting = new Set<(arrival: Arrival) => boolean>();

  constructor(victims: Victims) {
    this.#victims = victims;
    victims.shop.onArrival = (arrival) => {
      for (const sees of this.#waiting) {
        if (sees(arrival)) this.#waiting.delete(sees);
      }
    };
  }

  async inject(fault: Fault): Promise<void> {
    const { byName } = this.injected;
    switch (fault.kind) {
      case 'kill':
        await this.#kill();
        break;
      case 'point':
        await this.#killAt(`${fault.point}:${fault.step}`);
        break;
      case 'zombie':
      case 'overlap':
        await this.#raise(fault);
        break;
      case 'restart':
        await this.#victims.servers.restart(fault.server, this.#victims.random.between(100, 1_500));
        break;
      default:
        await this.#disturb(fault.kind, fault.server);
    }
    const name = nameFault(fault);
    byName.set(name, (byName.get(name) ?? 0) + 1);
  }

  async #kill(): Promise<void> {
    await sleep(this.#victims.random.between(50, 600));
    while (!(await this.#isKilled(await this.#someWorker())));
  }

  /** One more worker, which dies there; for as long as it lives it works like the others. */
  async #killAt(point: string): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const worker = await this.#victims.workers.startOne({ AGENT_ONCE_FAULT: point });
      const reached = await withinMs(worker.exited, this.#victims.patienceMs);
      if (reached === undefined) this.injected.missed.push(point);
      if (await this.#isKilled(worker)) return;
      // A server that it needed at its start was away.
      if (tries === 20) throw new Error(`No worker lives until ${point}; see workers.log.`);
    }
  }

  /** `false`: it had ended of itself. */
  async #isKilled(worker: ChaosWorker): Promise<boolean> {
    worker.kill();
    const { signal } = await worker.exited;
    if (signal !== 'SIGKILL') return false;
    this.injected.kills += 1;
    return true;
  }

  /**
   * Stops a worker right before its tool acts, until the ledger shows that somebody else has the claim
   * of its step (`overlap`), or that somebody else's result is recorded (`zombie`); then it goes on,
   * and acts late.
   */
  async #raise(fault: { kind: 'zombie' | 'overlap'; tool: string }): Promise<void> {
    const { tool } = fault;
    const { workers, random, leaseMs, patienceMs, announces } = this.#victims;
    let zombie: ChaosWorker | undefined;
    let episode: Zombie | undefined;
    const first = await this.#nextArrival(
      (arrival) => {
        if (arrival.tool !== tool) return false;
        zombie = workers.find(arrival.pid);
        if (!zombie || zombie.isStopped) return false;
        // Before the shop answers: the tool does not act before it goes on.
        episode = this.#stop(zombie);
        return true;
      },
      announces ? patienceMs : ARRIVED_WITHIN_MS,
    );
    if (!first || !zombie || !episode) {
      // Tools that do not announce themselves: anywhere, then.
      if (announces) this.injected.missed.push(nameFault(fault));
      zombie = await this.#someWorker();
      episode = this.#stop(zombie);
      await sleep(leaseMs + random.between(1_500, 3_000));
    } else {
      const succeeded = await this.#untilSucceeded(fault, first);
      if (!succeeded) this.injected.missed.push(nameFault(fault));
    }
    zombie.isStopped = false;
    episode.continuedAt = Date.now();
    signalProcess(zombie.pid, 'SIGCONT');
  }

  async #untilSucceeded({ kind }: { kind: 'zombie' | 'overlap' }, at: Arrival): Promise<boolean> {
    const { ledger, workflowOf, patienceMs } = this.#victims;
    const workflowId = workflowOf(at);
    if (workflowId === undefined) return false;
    const step = { workflowId, tool: at.tool };
    return kind === 'zombie'
      ? ledger.untilRecorded(step, patienceMs)
      : ledger.untilTakenOver(step, at.pid, patienceMs);
  }

  #stop(worker: ChaosWorker): Zombie {
    worker.isStopped = true;
    const zombie: Zombie = { pid: worker.pid, continuedAt: null, killedAt: null };
    this.injected.zombies.push(zombie);
    void worker.exited.then(({ signal }) => {
      if (signal === 'SIGKILL') zombie.killedAt = Date.now();
    });
    signalProcess(worker.pid, 'SIGSTOP');
    // Its open polls would go on taking tasks that nobody does, until each has timed out.
    worker.wires.temporal.cut();
    return zombie;
  }

  async #disturb(kind: 'cut' | 'silence' | 'delay', server: Server): Promise<void> {
    const { random } = this.#victims;
    await sleep(random.between(50, 400));
    const wire = (await this.#someWorker()).wires[server];
    if (kind === 'silence') {
      wire.holdAnswers();
      await sleep(random.between(1_000, 3_000));
    }
    if (kind === 'delay') {
      wire.delay(random.between(50, 400));
      await sleep(random.between(1_000, 2_500));
      wire.delay(0);
      return;
    }
    wire.cut();
  }

  async #someWorker(): Promise<ChaosWorker> {
    for (;;) {
      const worker = this.#victims.random.pick(this.#victims.workers.usable());
      if (worker) return worker;
      await sleep(50);
    }
  }

  async #nextArrival(
    matches: (arrival: Arrival) => boolean,
    limitMs: number,
  ): Promise<Arrival | undefined> {
    let sees: ((arrival: Arrival) => boolean) | undefined;
    const seen = new Promise<Arrival>((resolve) => {
      sees = (arrival) => {
        const found = matches(arrival);
        if (found) resolve(arrival);
        return found;
      };
      this.#waiting.add(sees);
    });
    const arrival = await withinMs(seen, limitMs);
    if (sees) this.#waiting.delete(sees);
    return arrival;
  }
}

async function withinMs<T>(promise: Promise<T>, limitMs: number): Promise<T | undefined> {
  const done = new AbortController();
  try {
    return await Promise.race([
      promise,
      sleep(limitMs, undefined, { signal: done.signal, ref: false }),
    ]);
  } finally {
    done.abort();
  }
}
