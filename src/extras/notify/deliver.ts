import { createHash, randomUUID } from 'node:crypto';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { secretsIn } from '../../config.ts';
import { oneLine } from '../../contract/plain-text.ts';
import { redact } from '../../contract/redact.ts';
import { OUTSIDE_TURNS } from '../../contract/step.ts';
import type { Claim, Ledger } from '../../ledger/port.ts';
import type { Found } from './find-notices.ts';
import { NotTakenError, type Send } from './receiver.ts';

/** Longest a receiver may take; shorter than the lease, so that nobody else sends meanwhile. */
const SEND_MS = 10_000;
const LEASE_MS = 20_000;
/** From the first wait to the longest, doubling. */
const WAIT_MS = { first: 5_000, longest: 15 * 60_000 };
/** As often as it takes: what ends it is that nobody has to be told any more. */
const ATTEMPTS = 1_000_000_000;

/** One notice for one receiver. */
export interface Delivery {
  found: Found;
  receiver: string;
  send: Send;
}

/**
 * What became of an attempt: `told`, by it or before; `over`, the run's scope is retired and nobody
 * has to be told any more; or when to try again, and why where it failed.
 */
export type Delivered = 'told' | 'over' | { againMs: number; why?: string };

/**
 * Sends a notice as a recorded step: its row is in the run's scope, claimed by one worker at a time,
 * and nobody sends what is recorded as taken. A worker that dies between the two has it sent again,
 * under the same ID.
 */
export async function deliver(
  ledger: Ledger,
  { found, receiver, send }: Delivery,
  signal: AbortSignal,
): Promise<Delivered> {
  const { notice, scope, workflowId, runId } = found;
  const answer = await ledger.claim({
    scope,
    step: `notice.${receiver}.${notice.id}`,
    turn: OUTSIDE_TURNS,
    kind: 'tool',
    name: `notify.${receiver}`,
    effect: 'keyed',
    digest: createHash('sha256').update(notice.id).digest('hex'),
    nonce: randomUUID(),
    leaseMs: LEASE_MS,
    maximumAttempts: ATTEMPTS,
    workflowId,
    runId,
    worker: `${process.pid}@${os.hostname()}`,
  });
  switch (answer.state) {
    case 'claimed':
      return attempt(ledger, answer.claim, answer.attempts, () =>
        within(AbortSignal.any([signal, AbortSignal.timeout(SEND_MS)]), (limit) =>
          send(notice, limit),
        ),
      );
    case 'completed':
      return 'told';
    case 'busy':
      return { againMs: answer.retryAfterMs };
    case 'restored':
      return { againMs: WAIT_MS.longest, why: 'The ledger is closed.' };
    default:
      return 'over';
  }
}

/** A receiver may not heed the signal; what it does later is not waited for. */
async function within(limit: AbortSignal, send: (limit: AbortSignal) => Promise<void>) {
  const late = new Promise<never>((_resolve, reject) => {
    const give = (): void => reject(new NotTakenError('It did not answer in time.'));
    limit.addEventListener('abort', give, { once: true });
  });
  await Promise.race([send(limit), late]);
}

async function attempt(
  ledger: Ledger,
  claim: Claim,
  attempts: number,
  send: () => Promise<void>,
): Promise<Delivered> {
  const until = Date.now() + LEASE_MS;
  try {
    await send();
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const why = redact(oneLine(said), secretsIn());
    await ledger.fail(claim, { code: 'notice.not_taken', message: why });
    const wait = Math.min(WAIT_MS.first * 2 ** Math.min(attempts - 1, 20), WAIT_MS.longest);
    const asked = error instanceof NotTakenError ? error.retryAfterMs : undefined;
    return { againMs: Math.max(wait, asked ?? 0), why };
  }
  for (;;) {
    try {
      await ledger.complete(claim, { result: { toldAt: new Date().toISOString() } });
      return 'told';
    } catch (error) {
      // Unrecorded it would be sent again.
      if (Date.now() > until) throw error;
      await sleep(500);
    }
  }
}
