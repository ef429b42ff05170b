import type { Command } from 'commander';
import type { RunRef } from '../client/types.ts';
import { commandFor } from './commands.ts';
import type { LoadAgents } from './open-client.ts';
import { addRunCommand, addRunOptions, runOf, type RunFlags } from './options.ts';

/** `agent-once cancel`: asks a run to stop. */
export function registerCancel(program: Command, loadAgents: LoadAgents): void {
  const command = addRunCommand(program, 'cancel', {
    summary: 'ask a run to stop',
    description:
      'Asks a run to stop: a model request in flight is aborted, and what was done stays recorded. Returns at once; a run that has ended stays as it is, which is no error.',
  });
  addRunOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ agent-once cancel support order-1042-refund
  $ agent-once cancel support order-1042-refund && agent-once result support order-1042-refund --wait

Exit codes:
  0  asked, or it had ended already          5  there is no such run
  2  wrong usage, unknown agent, bad key     6  Temporal cannot be reached`,
    )
    .action((agent: string, key: string, flags: RunFlags) =>
      runCancel(runOf(agent, key, flags), flags, loadAgents),
    );
}

async function runCancel(
  ref: Required<RunRef>,
  flags: RunFlags,
  loadAgents: LoadAgents,
): Promise<void> {
  const [{ withRun }, { coloursOf, print, printJson, say }, { drawRun }] = await Promise.all([
    import('./open-client.ts'),
    import('./output.ts'),
    import('./show-run.ts'),
  ]);
  await withRun(ref, loadAgents, async ({ client, urlOf }) => {
    const view = await client.cancel(ref);
    if (!view.cancelRequested)
      say(`Nothing to cancel: the run had ended already (${view.status}).`);
    if (flags.json) {
      printJson({ ...view, replayed: true });
      return;
    }
    print(drawRun(coloursOf(process.stdout), view, { url: urlOf(view.workflowId) }));
    if (view.closedAt === null) {
      say(`The run was asked to stop. See its end: ${commandFor('result', ref, ['--wait'])}`);
    }
  });
}
