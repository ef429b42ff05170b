import { continueAsNew, log, proxyActivities, workflowInfo } from '@temporalio/workflow';
import {
  addReports,
  describeReport,
  emptyReport,
  type CleanLedgerInput,
  type CleanLedgerResult,
  type CleanupInput,
  type CleanupReport,
} from '../contract/cleanup.ts';
import { CLEAN_LEDGER } from '../contract/names.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Some seconds of work. */
const BATCH = 200;

/**
 * Deletes the rows of runs that Temporal has forgotten, batch by batch, from the oldest scope to
 * the first that is too young. The result says what was removed and what was kept, and why.
 */
export async function ledgerCleanup(input: CleanupInput): Promise<CleanupReport> {
  const { graceMs = DAY_MS, batch = BATCH, dryRun = false } = input;
  let { after, report } = input.carried ?? { after: null, report: emptyReport(dryRun) };
  for (;;) {
    const done = await cleanLedger(input.queue, { after, limit: batch, graceMs, dryRun });
    report = addReports(report, done.report);
    after = done.next;
    if (after === null) break;
    if (workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof ledgerCleanup>({ ...input, carried: { after, report } });
    }
  }
  if (report.refused === null) log.info(describeReport(report));
  else log.warn(describeReport(report));
  return report;
}

function cleanLedger(taskQueue: string, input: CleanLedgerInput): Promise<CleanLedgerResult> {
  const activities = proxyActivities<
    Record<string, (input: CleanLedgerInput) => Promise<CleanLedgerResult>>
  >({
    taskQueue,
    startToCloseTimeout: '10 minutes',
    // Then it fails, and the next one takes up what is left.
    scheduleToCloseTimeout: '6 hours',
    heartbeatTimeout: '20 seconds',
    retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
  });
  const run = activities[CLEAN_LEDGER];
  // The proxy answers every name with a function; the check is for the compiler.
  if (!run) throw new Error(`No activity ${CLEAN_LEDGER}`);
  return run(input);
}
