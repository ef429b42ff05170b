import { Context } from '@temporalio/activity';
import {
  emptyReport,
  type CleanLedgerInput,
  type CleanLedgerResult,
  type CleanupReport,
} from '../contract/cleanup.ts';
import { CLEAN_LEDGER } from '../contract/names.ts';
import type { OldScope } from '../ledger/cleaner.ts';
import type { ActivityDeps } from './deps.ts';
import { activityFailure, failureOf, isRefused } from './step/failures.ts';

/** What cleaning works with. */
export type CleaningDeps = Pick<ActivityDeps, 'faults'> & NonNullable<ActivityDeps['cleaning']>;

/** Scopes between two heartbeats, and between the two questions about one. */
const AT_ONCE = 20;
/** Attempts of a cleaning that the ledger refuses, on whatever workers: some seconds. */
const ATTEMPTS_REFUSED = 5;

/** What an attempt leaves behind for the next. */
interface Progress {
  after: string | null;
  report: CleanupReport;
}

/**
 * The `cleanLedger` activity: looks at a number of scopes from a cursor on, and removes those of
 * which Temporal retains nothing. The order makes it safe to be killed anywhere: a scope is marked
 * as retired, Temporal is asked once more, and only then rows go.
 */
export async function cleanLedger(
  deps: CleaningDeps,
  { after, limit, graceMs, dryRun }: CleanLedgerInput,
): Promise<CleanLedgerResult> {
  const context = Context.current();
  const { cleaner, runs } = deps;
  try {
    const others = await cleaner.register(runs.home);
    if (others.length > 0) {
      const refused = sharedLedger(runs.home.name, others);
      return { next: null, report: { ...emptyReport(dryRun), refused } };
    }
    const begun = context.info.heartbeatDetails as Progress | undefined;
    const progress: Progress = begun ?? { after, report: emptyReport(dryRun) };
    const page = await cleaner.oldScopes({
      olderThanMs: (await runs.retentionMs()) + graceMs,
      after: progress.after,
      limit,
    });
    for (let at = 0; at < page.scopes.length; at += AT_ONCE) {
      if (context.cancellationSignal.aborted) await context.cancelled;
      const some = page.scopes.slice(at, at + AT_ONCE);
      await cleanScopes(deps, some, progress.report, context.info.attempt);
      progress.after = some.at(-1)?.cursor ?? progress.after;
      // A copy: it is sent later.
      context.heartbeat(structuredClone(progress));
    }
    return { next: page.next, report: progress.report };
  } catch (error) {
    if (context.cancellationSignal.aborted) await context.cancelled;
    const failure = failureOf(error, 'step.failed');
    // Temporal's own troubles pass. What the ledger refuses this worker, another may be allowed; what
    // it refuses all of them needs a person.
    const retryable = !isRefused(failure.code) || context.info.attempt < ATTEMPTS_REFUSED;
    throw activityFailure({ ...failure, retryable });
  }
}

async function cleanScopes(
  { cleaner, runs, faults }: CleaningDeps,
  scopes: OldScope[],
  report: CleanupReport,
  attempt: number,
): Promise<void> {
  report.looked += scopes.length;
  const retained = await runs.find(scopes);
  const idle = scopes.filter(({ scope }) => !retained.has(scope));
  for (const how of retained.values()) report.kept[how === 'running' ? 'running' : 'retained'] += 1;
  if (report.dryRun) {
    report.removed += idle.length;
    return;
  }
  // Of a cleaning that was killed before it could ask once more.
  if (retained.size > 0) report.unmarked += (await cleaner.unmark([...retained.keys()])).length;
  if (idle.length === 0) return;
  await cleaner.mark(idle.map(({ scope }) => scope));
  faults('after-claim', CLEAN_LEDGER, attempt);
  const found = await runs.find(idle);
  if (found.size > 0) {
    report.kept.found += found.size;
    await cleaner.unmark([...found.keys()]);
  }
  for (const { scope } of idle) {
    if (found.has(scope)) continue;
    const { steps, questions, shares, bytes } = await cleaner.remove(scope);
    if (steps > 0) report.removed += 1;
    report.rows.steps += steps;
    report.rows.questions += questions;
    report.rows.shares += shares;
    report.bytes += bytes;
  }
  faults('after-effect', CLEAN_LEDGER, attempt);
}

function sharedLedger(name: string, others: readonly { name: string }[]): string {
  const names = others.map((other) => `"${other.name}"`).join(', ');
  return (
    `runs of other Temporal namespaces than "${name}" use this ledger or did (${names}), and only their servers know which runs are over. ` +
    'Nothing was removed. Give each namespace a ledger of its own; one that is gone for good can be deleted from agent_once.homes.'
  );
}
