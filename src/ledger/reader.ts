import type { AskedQuestion, StepRecord } from './port.ts';

/** A step, and how its claim stands by the ledger's own clock. */
export interface HeldStep extends StepRecord {
  /** What is left of a claim's lease; below zero: it is over. `null`: the step is not claimed. */
  leaseLeftMs: number | null;
  /** Attempts of the execution that claimed it last (`runId`), without those that do not count. */
  runAttempts: number;
}

/** What several steps have the result of: made, and paid for, once. */
export interface SharedWork {
  /** Of the step that made it, or began it. */
  token: string;
  /** How many steps have it, this one included. */
  steps: number;
  /** What they all cost together; `null`: not known. */
  costUsd: number | null;
}

/** The ledger to somebody who only looks. Errors are those of `Ledger`, and `ledger.invalid`. */
export interface LedgerReader {
  /** All steps of a scope, in the order of `Ledger.steps`. */
  steps(scope: string): Promise<HeldStep[]>;
  /** All questions about steps of a scope, oldest first. */
  questions(scope: string): Promise<AskedQuestion[]>;
  /**
   * How many steps share what these tokens' steps made; a step that does not exist is left out.
   * Absent: this backend does not count them.
   */
  sharing?(tokens: readonly string[]): Promise<SharedWork[]>;
  close(): Promise<void>;
}
