import { Option, type Command } from 'commander';
import { readConfig } from '../../config.ts';
import { ERRORS } from '../../contract/errors.ts';
import { withRun, type LoadAgents } from '../../cli/open-client.ts';
import { addRunCommand, runOf, type RunFlags } from '../../cli/options.ts';
import { coloursOf, print, printJson, say } from '../../cli/output.ts';

interface ExplainFlags extends RunFlags {
  showInput?: true;
}

/** `agent-once explain`: what happened to a run, step by step. */
export function registerExplain(program: Command, loadAgents: LoadAgents): void {
  addRunCommand(program, 'explain', {
    summary: 'tell what happened to a run',
    description:
      'Tells what happened to a run: its executions, each step with how its outcome is known, what it cost, what may have been paid or made twice, and what to do next. Shows no result of a tool, and the input only when that is asked for.',
    options: [new Option('--show-input', "show the run's input too")],
    help: `
Without the ledger it still tells what Temporal knows: exit code 6, and "steps": null.

Examples:
  $ agent-once explain support order-1042-refund
  $ agent-once explain support order-1042-refund --show-input
  $ agent-once explain support order-1042-refund --json | jq '.steps[] | [.id, .state, .knownBy]'

Exit codes:
  0  explained, however the run stands       5  there is no such run
  2  wrong usage, unknown agent, bad key     6  Temporal or the ledger cannot be reached`,
  }).action(async (agent: string, key: string, flags: ExplainFlags) => {
    const ref = runOf(agent, key, flags);
    const [{ openLedgerReader }, { collect }, { drawExplanation }, { withNextActions }] =
      await Promise.all([
        import('../../ledger/open-ledger.ts'),
        import('./collect.ts'),
        import('./show-explanation.ts'),
        import('./next-words.ts'),
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
          const { red, dim } = coloursOf(process.stderr);
          say(`${red('error')} ${ledgerError.message} ${dim(`(${ledgerError.code})`)}`);
          process.exitCode = ERRORS['ledger.unreachable'].exit;
        }
      } finally {
        await ledger.close();
      }
    });
  });
}
