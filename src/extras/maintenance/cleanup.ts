import type { Command } from 'commander';

interface CleanupFlags {
  dryRun?: true;
  json?: true;
}

/** The first worker may have to start; a ledger with a long backlog takes longer. */
const TIMEOUT_MS = 10 * 60_000;

/** `agent-once cleanup`: removes what no run needs any more, or says what that would be. */
export function registerCleanup(program: Command): void {
  program
    .command('cleanup')
    .summary('remove from the ledger what no run needs any more')
    .description(
      'Has a worker remove the steps of runs that Temporal has forgotten, a day after it has, and waits for the report. Workers do so by themselves, every hour: see AGENT_ONCE_CLEANUP.',
    )
    .option('--dry-run', 'only say what would be removed')
    .option('--json', 'print the report as one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  $ agent-once cleanup --dry-run

Exit codes:
  0  done                                    6  Temporal cannot be reached
  4  it failed: some of it may be removed    7  not done after ten minutes; it goes on`,
    )
    .action((flags: CleanupFlags) => runCleanup(flags));
}

async function runCleanup(flags: CleanupFlags): Promise<void> {
  const [{ withClient }, { readConfig }, { describeReport }, { print, printJson }] =
    await Promise.all([
      import('../../cli/open-client.ts'),
      import('../../config.ts'),
      import('../../contract/cleanup.ts'),
      import('../../cli/output.ts'),
    ]);
  await withClient(readConfig(), async ({ client }) => {
    const dryRun = flags.dryRun === true;
    const report = await client.cleanup({ dryRun, timeoutMs: TIMEOUT_MS });
    if (flags.json) printJson(report);
    else print(describeReport(report));
  });
}
