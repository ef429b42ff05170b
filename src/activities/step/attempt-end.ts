import type { Effect } from '../../contract/step.ts';

/** What is known of an attempt that threw. */
export interface Attempt {
  effect: Effect | null;
  /** Whether `Granted.beforeEffect` was passed. */
  begun: boolean;
  /**
   * `not-applied`: a tool's word that nothing happened; `unusable-answer`: a whole answer of the
   * model was read, and is paid for; `pending`: the model's endpoint makes the answer in the
   * background, and the ledger has its ID; `refused`: the ledger refuses this worker; `own-trouble`:
   * with the claim or the ledger, not with the work.
   */
  thrown: 'not-applied' | 'unusable-answer' | 'pending' | 'refused' | 'own-trouble' | 'other';
  /** Whether the step's policy and what was thrown allow another attempt. */
  again: boolean;
  /**
   * `cancelled`: the run is; `stopped`: the worker stops, and the step is in the fast lane;
   * `let-go`: the worker stops or has lost touch with Temporal, which will not hear this attempt.
   */
  halted: 'cancelled' | 'stopped' | 'let-go' | 'no';
  /** See `ActivityDeps`. */
  suspected: boolean;
}

/** What is written to the ledger. */
export type Written =
  | { as: 'outcome-unknown' }
  | {
      as: 'failed';
      error: 'thrown' | 'cancelled' | 'interrupted';
      /** Whether it uses up one of the execution's attempts. */
      counted: boolean;
      /**
       * How long the ledger is asked to take it, in the attempt's time, and until a worker that stops
       * has to end: `until-accepted`, also while it refuses this worker. Without an answer the lease
       * runs out.
       */
      ask: 'once' | 'until-answered' | 'until-accepted';
    };

/** What leaves the activity. */
export type Thrown =
  | { as: 'cancelled' | 'let-go' | 'interrupted' }
  | { as: 'thrown'; retryable: boolean; wait: 'none' | 'backoff' | 'until-mended' };

export interface End {
  written: Written;
  thrown: Thrown;
  /** Whether the effect may have happened: the run is told the attempt's fence. */
  mayHaveActed: boolean;
}

/** An error does not say that nothing happened, whatever it is; only the tool's word does. */
export function mayHaveActed({ begun, thrown }: Pick<Attempt, 'begun' | 'thrown'>): boolean {
  return begun && thrown !== 'not-applied';
}

/** How an attempt ends that threw: `docs/architecture.md` shows it as two tables. */
export function endOf(attempt: Attempt): End {
  return {
    written: whatIsWritten(attempt),
    thrown: whatIsThrown(attempt),
    mayHaveActed: mayHaveActed(attempt),
  };
}

function whatIsWritten(attempt: Attempt): Written {
  const { effect, begun, thrown, halted, suspected } = attempt;
  if (isOutcomeUnknown(attempt)) return { as: 'outcome-unknown' };
  const paid = thrown === 'unusable-answer';
  const as = 'failed';
  if (!paid && halted === 'cancelled') {
    return { as, error: 'cancelled', counted: true, ask: 'once' };
  }
  if (!paid && halted !== 'no') {
    const error = thrown === 'pending' ? 'thrown' : 'interrupted';
    // A worker that lives goes on holding what it does not give back.
    const ask = halted === 'let-go' ? 'until-answered' : 'once';
    return { as, error, counted: suspected, ask };
  }
  const counted = !isOwnTrouble(attempt);
  // That an answer was paid for must reach the ledger, and that nothing happened: a person would be
  // asked what the tool knew.
  const patient = paid || !counted || (begun && thrown === 'not-applied');
  const alone = paid || effect === 'at-most-once';
  const ask = !patient ? 'once' : alone ? 'until-accepted' : 'until-answered';
  return { as, error: 'thrown', counted, ask };
}

function whatIsThrown(attempt: Attempt): Thrown {
  const { thrown, halted, again } = attempt;
  if (halted === 'cancelled') return { as: 'cancelled' };
  // A worker that stops when an answer was read has used the attempt, as any other has.
  if (thrown !== 'unusable-answer') {
    if (halted === 'let-go') return { as: 'let-go' };
    if (halted === 'stopped') return { as: 'interrupted' };
  }
  // The next claim is answered with the question for a person.
  if (isOutcomeUnknown(attempt)) return { as: 'thrown', retryable: true, wait: 'none' };
  if (thrown === 'refused') return { as: 'thrown', retryable: true, wait: 'until-mended' };
  return { as: 'thrown', retryable: again || isOwnTrouble(attempt), wait: 'backoff' };
}

/** Whether only a person can say how the attempt ended. */
export function isOutcomeUnknown(attempt: Pick<Attempt, 'effect' | 'begun' | 'thrown'>): boolean {
  return attempt.effect === 'at-most-once' && mayHaveActed(attempt);
}

/** Uses up nothing: the next claim says what became of the step. */
function isOwnTrouble({ thrown }: Attempt): boolean {
  return thrown === 'own-trouble' || thrown === 'refused' || thrown === 'pending';
}
