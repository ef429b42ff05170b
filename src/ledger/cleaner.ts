/** A Temporal namespace whose runs use the ledger. */
export interface Home {
  /** The namespace's own ID, which no other namespace of any server has. */
  id: string;
  /** For people. */
  name: string;
}

/** Which scopes to look at next. */
export interface CleaningQuery {
  /**
   * Only scopes in which nothing has happened for so long: no claim, no end, no question or answer,
   * no share that one of its steps took; and of which no lease is live.
   */
  olderThanMs: number;
  /** The cursor of the last scope that was looked at; `null`: from the start. */
  after: string | null;
  /** About how many scopes to read; those that are too young are among them. */
  limit: number;
}

/** A scope whose rows are old enough to ask about. */
export interface OldScope {
  scope: string;
  /** Where to go on after this scope; some before it may come again. */
  cursor: string;
  /** Executions that have claimed a step of it or asked a question about one, each once. */
  executions: { workflowId: string; runId: string }[];
}

/** A page of scopes. Over all pages each old one comes at least once, whatever is added meanwhile. */
export interface OldScopes {
  scopes: OldScope[];
  /** Cursor of the next page; `null`: this was the last. */
  next: string | null;
}

/** What was deleted. */
export interface Removed {
  steps: number;
  questions: number;
  shares: number;
  /** Of requests and results, as they were stored. */
  bytes: number;
}

/**
 * Deletes what no run needs any more, scope by scope. Who deletes retires the scope, then makes
 * sure that no run has it, then removes; a mark that was wrong is taken back. Everything is
 * repeatable. Every backend that has it passes `test/ledger/contract/cleaning.ts`.
 *
 * Every method throws `AgentOnceError` `ledger.unreachable` as those of `Ledger` do.
 */
export interface LedgerCleaner {
  /** Notes that runs of a namespace use this ledger. Returns the other ones that do or did. */
  register(home: Home): Promise<Home[]>;

  /** Looks for old scopes. One with a provisional mark is old as any other. */
  oldScopes(query: CleaningQuery): Promise<OldScopes>;

  /** Marks scopes as retired, provisionally: no step of theirs is claimed any more. */
  mark(scopes: readonly string[]): Promise<void>;

  /**
   * Takes provisional marks back; those that `Ledger.retire` has made or confirmed stay, and those
   * of scopes that are being removed. Returns the scopes whose mark was taken.
   */
  unmark(scopes: readonly string[]): Promise<string[]>;

  /**
   * Deletes the rows of a marked scope: steps, questions and shares. The mark stays, for good. Of
   * a scope without a mark nothing is deleted.
   */
  remove(scope: string): Promise<Removed>;
}

/**
 * Removes a scope part by part: no part may last.
 *
 * @param atOnce steps of one part
 * @param removePart `undefined`: the scope has no mark
 */
export async function removeInParts(
  atOnce: number,
  removePart: () => Promise<Removed | undefined>,
): Promise<Removed> {
  const total: Removed = { steps: 0, questions: 0, shares: 0, bytes: 0 };
  for (;;) {
    const removed = await removePart();
    if (removed === undefined) return total;
    total.steps += removed.steps;
    total.questions += removed.questions;
    total.shares += removed.shares;
    total.bytes += removed.bytes;
    if (removed.steps < atOnce) return total;
  }
}
