import type { AskedQuestion, StepRecord } from './port.ts';

/** A step, and how its claim stands by the ledger's own clock. */
export interface HeldStep extends StepRecord {
  /** What is left of a claim's lease; below zero: it is over. `null`: the step is not claimed. */
  leaseLeftMs: number | null;
  /** Attempts of the execution that claimed it last (`runId`), without those that do not count. */
  runAttempts: number;
}

/** The ledger to somebody who only looks. Errors are those of `Ledger`, and `ledger.invalid`. */
export interface LedgerReader {
  /** All steps of a scope, in the order of `Ledger.steps`. */
  steps(scope: string): Promise<HeldStep[]>;
  /** All questions about steps of a scope, oldest first. */
  questions(scope: string): Promise<AskedQuestion[]>;
  close(): Promise<void>;
}
