import { continueAsNew, log, workflowInfo } from '@temporalio/workflow';
import {
  addReports,
  describeReport,
  emptyReport,
  type CleanupInput,
  type CleanupReport,
} from '../contract/cleanup.ts';
import { cleanLedger } from './steps.ts';

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
  log[report.refused === null ? 'info' : 'warn'](describeReport(report));
  return report;
}
