import type { Context } from '@temporalio/activity';
import { AgentOnceError } from '../contract/errors.ts';
import type { Claim, Ledger } from '../ledger/port.ts';

export interface Lease {
  /** Aborts when the run is cancelled, the claim is lost, or `limitMs` is over. */
  readonly signal: AbortSignal;
  stop(): void;
}

/**
 * Keeps a claim alive while its step runs: heartbeats to Temporal and renews the lease, each third
 * of the lease. Apart from each other, so that a slow database does not cost the heartbeat. Ends
 * with the signal: a lease that nobody works under must run out.
 */
export function keepLease(ledger: Ledger, claim: Claim, context: Context, limitMs: number): Lease {
  const lost = new AbortController();
  const limit = AbortSignal.timeout(limitMs);
  const signal = AbortSignal.any([context.cancellationSignal, limit, lost.signal]);
  let renewing = false;

  const timer = setInterval(
    () => {
      if (signal.aborted) return stop();
      context.heartbeat();
      if (renewing) return;
      renewing = true;
      ledger
        .renew(claim)
        .then((ours) => {
          if (!ours) lost.abort(new AgentOnceError('step.claim_lost', CLAIM_LOST));
        })
        // A database that is away for a moment decides nothing: the fence does, at completion.
        .catch(() => {})
        .finally(() => {
          renewing = false;
        });
    },
    Math.max(50, Math.floor(claim.leaseMs / 3)),
  );

  function stop(): void {
    clearInterval(timer);
  }
  return { signal, stop };
}

export const CLAIM_LOST = 'Another attempt has taken this step over; its result counts.';
