/** The argument of the `ledgerCleanup` workflow. Everything but the queue has a default. */
export interface CleanupInput {
  /** Task queue of the `cleanLedger` activity. */
  queue: string;
  /** How often the Schedule's maker wanted it: tells an operator's change of the Schedule from ours. */
  everyMs?: number;
  /**
   * How much longer than Temporal retains runs their rows stay; a day by default, as long as a
   * result may be promised to other runs.
   */
  graceMs?: number;
  /** Scopes of one activity. */
  batch?: number;
  /** Only says what would be removed. */
  dryRun?: boolean;
  /** What it had reached when it continued as new. */
  carried?: CleanupProgress;
}

/** How far a cleaning has come. */
export interface CleanupProgress {
  /** The ledger's cursor; `null`: at the start. */
  after: string | null;
  report: CleanupReport;
}

/** Argument of the `cleanLedger` activity. */
export interface CleanLedgerInput {
  after: string | null;
  limit: number;
  graceMs: number;
  dryRun: boolean;
}

/** Result of the `cleanLedger` activity. */
export interface CleanLedgerResult {
  /** Where the next one goes on; `null`: nothing is left to look at. */
  next: string | null;
  report: CleanupReport;
}

/** What a cleaning did, in numbers of scopes but for the last two. */
export interface CleanupReport {
  dryRun: boolean;
  /** Old enough to ask Temporal about. */
  looked: number;
  /** Removed; in a dry run: would be. */
  removed: number;
  kept: {
    /** A run is under way, or waits for a person. */
    running: number;
    /** Temporal still retains a closed run of it. */
    retained: number;
    /** Temporal knew of a run only when asked once more: the mark was taken back. */
    found: number;
  };
  /** Marks that a cleaning before this one had left behind, taken back. */
  unmarked: number;
  /** Rows that were removed. */
  rows: { steps: number; questions: number; shares: number };
  /** Requests and results that were removed, as they were stored. */
  bytes: number;
  /** Why nothing was looked at; `null`: it was. */
  refused: string | null;
}

/** A report of nothing yet. */
export function emptyReport(dryRun: boolean): CleanupReport {
  return {
    dryRun,
    looked: 0,
    removed: 0,
    kept: { running: 0, retained: 0, found: 0 },
    unmarked: 0,
    rows: { steps: 0, questions: 0, shares: 0 },
    bytes: 0,
    refused: null,
  };
}

export function addReports(a: CleanupReport, b: CleanupReport): CleanupReport {
  return {
    dryRun: a.dryRun,
    looked: a.looked + b.looked,
    removed: a.removed + b.removed,
    kept: addCounts(a.kept, b.kept),
    unmarked: a.unmarked + b.unmarked,
    rows: addCounts(a.rows, b.rows),
    bytes: a.bytes + b.bytes,
    refused: a.refused ?? b.refused,
  };
}

function addCounts<T extends Record<keyof T, number>>(a: T, b: T): T {
  const sums = Object.keys(a).map((name) => [name, a[name as keyof T] + b[name as keyof T]]);
  return Object.fromEntries(sums) as T;
}

/** A report in one line, for logs and people. */
export function describeReport(report: CleanupReport): string {
  const { dryRun, looked, removed, kept, rows, bytes, refused } = report;
  if (refused !== null) return `Ledger not cleaned: ${refused}`;
  const total = rows.steps + rows.questions + rows.shares;
  const gone = dryRun
    ? `${removed} would be removed`
    : `${removed} removed (${total} rows, ${bytes} bytes)`;
  const left = [
    `${kept.running} running`,
    `${kept.retained} still retained by Temporal`,
    `${kept.found} found when asked once more`,
  ];
  return `Ledger ${dryRun ? 'looked through' : 'cleaned'}: ${looked} old scopes, ${gone}; kept: ${left.join(', ')}.`;
}
