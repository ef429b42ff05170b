import type { Command } from 'commander';
import type { RunRef } from '../../client/types.ts';
import { ERRORS } from '../../contract/errors.ts';
import type { LoadAgents } from '../../cli/open-client.ts';
import { addRunCommand, addRunOptions, runOf, type RunFlags } from '../../cli/options.ts';

interface ExplainFlags extends RunFlags {
  showInput?: true;
}

/** `agent-once explain`: what happened to a run, step by step. */
export function registerExplain(program: Command, loadAgents: LoadAgents): void {
  const command = addRunCommand(program, 'explain', {
    summary: 'tell what happened to a run',
    description:
      'Tells what happened to a run: its executions, each step with how its outcome is known, what it cost, what may have been paid or made twice, and what to do next. Shows no result of a tool, and the input only when that is asked for.',
  }).option('--show-input', "show the run's input too");
  addRunOptions(command)
    .addHelpText(
      'after',
      `
Without the ledger it still tells what Temporal knows: exit code 6, and "steps": null.

Examples:
  $ agent-once explain support order-1042-refund
  $ agent-once explain support order-1042-refund --show-input
  $ agent-once explain support order-1042-refund --json | jq '.steps[] | [.id, .state, .knownBy]'

Exit codes:
  0  explained, however the run stands       5  there is no such run
  2  wrong usage, unknown agent, bad key     6  Temporal or the ledger cannot be reached`,
    )
    .action((agent: string, key: string, flags: ExplainFlags) =>
      runExplain(runOf(agent, key, flags), flags, loadAgents),
    );
}

async function runExplain(
  ref: Required<RunRef>,
  flags: ExplainFlags,
  loadAgents: LoadAgents,
): Promise<void> {
  const [{ withRun }, { readConfig }, { openLedgerReader }, { collect }] = await Promise.all([
    import('../../cli/open-client.ts'),
    import('../../config.ts'),
    import('../../ledger/open-ledger.ts'),
    import('./collect.ts'),
  ]);
  const { coloursOf, print, printJson, say } = await import('../../cli/output.ts');
  const [{ drawExplanation }, { withNextActions }] = await Promise.all([
    import('./show-explanation.ts'),
    import('./next-actions.ts'),
  ]);
  await withRun(ref, loadAgents, async ({ client: { context }, urlOf }) => {
    const withInput = flags.showInput === true;
    const ledger = await openLedgerReader(readConfig().ledgerUrl);
    try {
      const explanation = await collect({ context, ledger, urlOf, withInput }, ref);
      if (flags.json) printJson(withNextActions(explanation));
      else print(drawExplanation(coloursOf(process.stdout), explanation));
      const { ledgerError } = explanation;
      if (ledgerError) {
        const colours = coloursOf(process.stderr);
        say(
          `${colours.red('error')} ${ledgerError.message} ${colours.dim(`(${ledgerError.code})`)}`,
        );
        process.exitCode = ERRORS['ledger.unreachable'].exit;
      }
    } finally {
      await ledger.close();
    }
  });
}
