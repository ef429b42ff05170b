import { setTimeout as sleep } from 'node:timers/promises';
import { AgentOnceError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import { tokenOf } from '../../contract/step.ts';
import type { Ledger, ShareAnswer, StepRecord } from '../../ledger/port.ts';
import type { Granted } from './run-step.ts';

/** What a step shares with others: in other turns, runs, workers. */
export interface ShareTerms {
  /** Hash of all that must be the same. */
  name: string;
  /** For how long a result is shared, from when its step began; 0: only while it is under way. */
  windowMs: number;
  /** Time of an attempt of this step, of which half at most is spent on waiting. */
  startToCloseMs: number;
}

/** Somebody else's result, or the word that the work is this step's. */
export type Shared =
  | { theirs: { result: JsonValue; sharedWith: string } }
  /**
   * `token` is what to act under: that of the step which began it, if this one took it over, and
   * from that one's `round` on.
   */
  | { theirs: undefined; token: string; tookOver: boolean; round: number };

const FIRST_LOOK_MS = 50;
const LATER_LOOKS_MS = 250;
/** Longer than an attempt of the owner usually takes. */
const PATIENCE_MS = 30_000;

/**
 * Asks whether a step that has its claim is the one to do the work, and waits for the result of the
 * one that is. An owner that fails, or whose worker dies, is followed by one of those that wait.
 *
 * @throws {AgentOnceError} `step.busy` when the owner takes long: asked again later, and no attempt
 *   is used up; `ledger.unreachable`
 */
export async function shareWork(
  ledger: Ledger,
  { claim, signal }: Pick<Granted, 'claim' | 'signal'>,
  { name, windowMs, startToCloseMs }: ShareTerms,
): Promise<Shared> {
  const { scope, step, leaseMs } = claim;
  const until = Date.now() + Math.min(PATIENCE_MS, startToCloseMs / 2);
  let followed: ShareAnswer['owner'] | undefined;
  for (let wait = FIRST_LOOK_MS; ; wait = Math.min(wait * 2, LATER_LOOKS_MS)) {
    signal.throwIfAborted();
    const { mine, owner, first, round } = await ledger.share({
      name,
      scope,
      step,
      windowMs,
      leaseMs,
    });
    // Whoever has waited for a result takes it, also one that is shared with no newcomer.
    const awaited = mine ? followed : owner;
    const held = awaited && (await ledger.step(awaited.scope, awaited.step));
    if (held?.state === 'completed') return { theirs: resultOf(held) };
    if (mine) {
      const tookOver = first.scope !== scope || first.step !== step;
      return { theirs: undefined, token: tokenOf(first.scope, first.step), tookOver, round };
    }
    followed = owner;
    if (Date.now() > until) throw stillWaiting(owner);
    // Aborted or not: the next look says why it ends.
    await sleep(wait, undefined, { signal }).catch(() => {});
  }
}

function resultOf({ scope, step, result, sharedWith }: StepRecord) {
  return { result, sharedWith: sharedWith ?? tokenOf(scope, step) };
}

function stillWaiting({ scope, step }: ShareAnswer['owner']): AgentOnceError {
  return new AgentOnceError(
    'step.busy',
    `The same is being done by ${tokenOf(scope, step)}, which has not ended. Nothing was done here.`,
  );
}
