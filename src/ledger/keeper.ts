import type { LedgerIdentity } from './port.ts';

/** What a ledger holds, to tell a whole copy from one that lacks something. */
export interface LedgerContents {
  steps: number;
  /** ISO 8601 time of the last claim or end of a step; `null`: there is no step. */
  changedAt: string | null;
}

/**
 * The ledger to the person who looks after its database: says who it is after a restore or a move.
 * Errors are those of `Ledger`, and `ledger.invalid`.
 */
export interface LedgerKeeper {
  identity(): Promise<LedgerIdentity>;

  /**
   * Takes a person's word that the ledger, as it is now, stands in for itself as it was, or for
   * another one that is lost: it gets a new identity, and runs that have seen the former one go on
   * here. Also puts a closed ledger into use again.
   *
   * @param lost identity of the lost one; absent: its own
   */
  acceptRestore(lost?: string): Promise<LedgerIdentity>;

  /** Closes the ledger: no step is claimed here any more. Repeatable. */
  shut(): Promise<LedgerIdentity>;

  /** Takes `shut` back. Repeatable. */
  reopen(): Promise<LedgerIdentity>;

  contents(): Promise<LedgerContents>;

  /** Ends the connections. */
  close(): Promise<void>;
}
