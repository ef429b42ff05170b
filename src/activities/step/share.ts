import { setTimeout as sleep } from 'node:timers/promises';
import { AgentOnceError } from '../../contract/errors.ts';
import { sha256Hex } from '../../contract/hash.ts';
import { canonicalJson } from '../../contract/json.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import { tokenOf, type StepRun } from '../../contract/step.ts';
import type { Completion, Ledger, ShareAnswer } from '../../ledger/port.ts';
import type { Granted, StepWork } from './work.ts';

/** What a step shares with others: in other turns, runs, workers. */
export interface ShareTerms {
  /** See `shareName`. */
  name: string;
  /** For how long a result is shared, from when its step began; 0: only while it is under way. */
  windowMs: number;
  /** Time of an attempt of this step, of which half at most is spent on waiting. */
  startToCloseMs: number;
}

/** Somebody else's result, and the token of the step that has it. */
type Theirs = { result: JsonValue; sharedWith: string };

const FIRST_LOOK_MS = 50;
const LATER_LOOKS_MS = 250;
/** Longer than an attempt of the owner usually takes. */
const PATIENCE_MS = 30_000;

/** Tenants and agents share nothing; neither do shadow runs and real ones. */
export function shareName(
  kind: 'tool' | 'model',
  { tenant, agent, shadow }: StepRun,
  digest: string,
): string {
  return sha256Hex(canonicalJson({ v: 1, kind, tenant, agent, shadow: shadow === true, digest }));
}

/**
 * Work that one does of all steps that want the same, and the others get its result.
 *
 * @param adopt makes somebody else's result this step's
 */
export function share(
  ledger: Ledger,
  work: StepWork,
  termsOf: () => ShareTerms | Promise<ShareTerms>,
  adopt: (theirs: Theirs, granted: Granted) => Completion | Promise<Completion> = (theirs) =>
    theirs,
): StepWork {
  return async (granted) => {
    const shared = await askWhose(ledger, granted, await termsOf());
    if ('result' in shared) return adopt(shared, granted);
    // The attempt may have ended while somebody else was waited for: nothing begins then.
    granted.signal.throwIfAborted();
    return work({ ...granted, ...shared });
  };
}

/**
 * Asks whether a step that has its claim is the one to do the work, and waits for the result of the
 * one that is. An owner that fails, or whose worker dies, is followed by one of those that wait.
 *
 * @throws {AgentOnceError} `step.busy` when the owner takes long: asked again later, and no attempt
 *   is used up; `ledger.unreachable`
 */
async function askWhose(
  ledger: Ledger,
  { claim, signal, round: own, asking }: Granted,
  { name, windowMs, startToCloseMs }: ShareTerms,
): Promise<Theirs | Pick<Granted, 'round' | 'began' | 'asking'>> {
  const { scope, step, leaseMs } = claim;
  const until = Date.now() + Math.min(PATIENCE_MS, startToCloseMs / 2);
  let followed: ShareAnswer['owner'] | undefined;
  for (let wait = FIRST_LOOK_MS; ; wait = Math.min(wait * 2, LATER_LOOKS_MS)) {
    signal.throwIfAborted();
    const answer = await ledger.share({ name, scope, step, windowMs, leaseMs });
    const { mine, owner, first } = answer;
    // Whoever has waited for a result takes it, also one that is shared with no newcomer.
    const awaited = mine ? followed : owner;
    const held = awaited && (await ledger.step(awaited.scope, awaited.step));
    if (held?.state === 'completed') {
      return { result: held.result, sharedWith: held.sharedWith ?? tokenOf(held.scope, held.step) };
    }
    if (mine) {
      const tookOver = first.scope !== scope || first.step !== step;
      const round = Math.max(own, answer.round);
      if (!tookOver) return { round, asking };
      const theirs = (await ledger.step(first.scope, first.step))?.asking;
      // What is made in the background for that one is as good for this one.
      const found = theirs?.pending?.round === round ? theirs.pending : undefined;
      const kept = theirs && found ? { ...theirs, pending: found, ...asking } : asking;
      // In this step's own row too: whoever follows this attempt looks there.
      if (found && kept) await ledger.keepAsking(claim, kept);
      return {
        round,
        began: tokenOf(first.scope, first.step),
        asking: kept,
      };
    }
    followed = owner;
    if (Date.now() > until) {
      throw new AgentOnceError(
        'step.busy',
        `The same is being done by ${tokenOf(owner.scope, owner.step)}, which has not ended. Nothing was done here.`,
      );
    }
    // Aborted or not: the next look says why it ends.
    await sleep(wait, undefined, { signal }).catch(() => {});
  }
}
