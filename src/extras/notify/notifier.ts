import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../../cli/output.ts';
import type { AgentOnceClient } from '../../client/agent-once-client.ts';
import { openClient } from '../../client/open-client.ts';
import { runUrl } from '../../client/workflow-url.ts';
import type { Config } from '../../config.ts';
import { openLedger } from '../../ledger/open-ledger.ts';
import type { Ledger } from '../../ledger/port.ts';
import { deliver, type Delivery } from './deliver.ts';
import { findFailed, findWaiting, hasFailed, type Candidate, type Found } from './find-notices.ts';
import type { Send } from './receiver.ts';

/** Whoever failed longer ago is told of no more: then a list is the place to look. */
const FAILED_MS = 24 * 60 * 60_000;
/** Temporal's index lags behind, and clocks differ. */
const LAG_MS = 10 * 60_000;
/** Looking takes at most so much of a notifier's time, however many runs wait. */
const SHARE = 10;
const AT_ONCE = 8;
/** Temporal or the ledger is away. */
const TROUBLE_MS = 15_000;

interface Waiting extends Delivery {
  dueAt: number;
}

/** Looks for what somebody must be told, and tells it. Everything it must not forget is in the ledger. */
export class Notifier {
  readonly #client: AgentOnceClient;
  readonly #ledger: Ledger;
  readonly #senders: ReadonlyMap<string, Send>;
  readonly #linkOf: (workflowId: string, step?: string) => string;
  /** Places that were read, and when a failure was seen; they come with each look. */
  readonly #known = new Map<string, number>();
  readonly #open = new Map<string, Waiting>();
  #failedSince = Date.now() - FAILED_MS;
  /** Why something could not be read in this round. */
  #unread: unknown;

  constructor(
    client: AgentOnceClient,
    ledger: Ledger,
    senders: ReadonlyMap<string, Send>,
    linkOf: (workflowId: string, step?: string) => string,
  ) {
    this.#client = client;
    this.#ledger = ledger;
    this.#senders = senders;
    this.#linkOf = linkOf;
  }

  /** Looks once, and sends what is due. */
  async round(signal: AbortSignal): Promise<void> {
    this.#unread = undefined;
    await this.#look();
    await this.#send(signal);
    if (this.#unread !== undefined) throw this.#unread;
  }

  async #look(): Promise<void> {
    const { context } = this.#client;
    const begun = Date.now();
    const waits = new Set<string>();
    for await (const candidate of findWaiting(context, this.#linkOf)) {
      for (const place of await this.#take(candidate)) waits.add(place);
    }
    for await (const candidate of findFailed(context, new Date(this.#failedSince), this.#linkOf)) {
      await this.#take(candidate);
    }
    if (this.#unread === undefined) this.#failedSince = begun - LAG_MS;
    const old = begun - FAILED_MS;
    for (const [place, seenAt] of this.#known) {
      if (!waits.has(place) && seenAt < old) this.#known.delete(place);
    }
    // A question that is answered needs nobody any more.
    for (const [id, { found }] of this.#open) {
      const { type } = found.notice;
      const isOver =
        type === 'run.waiting' ? !waits.has(found.place) : !this.#known.has(found.place);
      if (!isOver) continue;
      this.#open.delete(id);
      // Should it be seen again, it is read again.
      this.#known.delete(found.place);
    }
  }

  /** @returns the places that are there now */
  async #take({ places, more, read }: Candidate): Promise<string[]> {
    if (!more && places.every((place) => this.#known.has(place))) return places;
    let found: Found[];
    try {
      found = await read();
    } catch (error) {
      // What cannot be read of one run must not keep the others from being told of.
      this.#unread ??= error;
      return places;
    }
    for (const each of found) {
      if (this.#known.has(each.place)) continue;
      for (const [receiver, send] of this.#senders) {
        const id = `${receiver} ${each.notice.id}`;
        this.#open.set(id, { found: each, receiver, send, dueAt: 0 });
      }
    }
    const all = [...places, ...found.map(({ place }) => place)];
    for (const place of all) if (!this.#known.has(place)) this.#known.set(place, Date.now());
    return all;
  }

  async #send(signal: AbortSignal): Promise<void> {
    const due = [...this.#open].filter(([, { dueAt }]) => dueAt <= Date.now());
    const next = async (): Promise<void> => {
      for (let each = due.shift(); each && !signal.aborted; each = due.shift()) {
        await this.#sendOne(...each, signal);
      }
    };
    const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, next));
    const failed = ended.find((each) => each.status === 'rejected');
    if (failed) throw failed.reason;
  }

  async #sendOne(id: string, waiting: Waiting, signal: AbortSignal): Promise<void> {
    const { found, receiver } = waiting;
    const { notice } = found;
    if (notice.type === 'run.failed' && !(await hasFailed(this.#client.context, found))) {
      this.#open.delete(id);
      return;
    }
    const how = await deliver(this.#ledger, waiting, signal);
    if (typeof how === 'string') {
      this.#open.delete(id);
      return;
    }
    waiting.dueAt = Date.now() + how.againMs;
    if (how.why === undefined || signal.aborted) return;
    say(
      `${receiver} did not take ${notice.id} (${notice.type} of agent ${notice.data.agent}): ${how.why} It is sent again in ${Math.ceil(how.againMs / 1_000)} s.`,
      'error',
    );
  }
}

/**
 * Tells the receivers until the signal, whatever is away meanwhile. Nothing that goes wrong here
 * reaches the worker.
 */
export async function notifyUntil(
  signal: AbortSignal,
  config: Config,
  senders: ReadonlyMap<string, Send>,
  everyMs: number,
): Promise<void> {
  let client: AgentOnceClient | undefined;
  let ledger: Ledger | undefined;
  let notifier: Notifier | undefined;
  let told = '';
  while (!signal.aborted) {
    const begun = Date.now();
    let pause = everyMs;
    try {
      client ??= await openClient(config);
      ledger ??= await openLedger(config.ledgerUrl, { poolSize: 1 });
      const { namespace } = client.context.temporal.options;
      notifier ??= new Notifier(client, ledger, senders, (workflowId, step) =>
        runUrl(config, namespace, workflowId, step),
      );
      await notifier.round(signal);
      told = '';
      pause = Math.max(everyMs, (Date.now() - begun) * SHARE);
    } catch (error) {
      pause = Math.max(everyMs, TROUBLE_MS);
      const why = error instanceof Error ? error.message : String(error);
      // Once, and not each time: the worker says it too.
      if (why !== told && !signal.aborted) {
        say(`Not everybody is told at this moment what waits or has failed: ${why}`, 'error');
      }
      told = why;
    }
    await sleep(pause, undefined, { signal }).catch(() => {});
  }
  await Promise.allSettled([ledger?.close(), client?.close()]);
}
