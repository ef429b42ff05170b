import type { Command } from 'commander';
import { commandFor } from './commands.ts';
import { withRun, type LoadAgents } from './open-client.ts';
import { addRunCommand, runOf, type RunFlags } from './options.ts';
import { coloursOf, print, printJson, say } from './output.ts';
import { drawRun } from './show-run.ts';

/** `agent-once cancel`: asks a run to stop. */
export function registerCancel(program: Command, loadAgents: LoadAgents): void {
  addRunCommand(program, 'cancel', {
    summary: 'ask a run to stop',
    description:
      'Asks a run to stop: a model request in flight is aborted, and what was done stays recorded. Returns at once; a run that has ended stays as it is, which is no error.',
    help: `
Examples:
  $ agent-once cancel support order-1042-refund
  $ agent-once cancel support order-1042-refund && agent-once result support order-1042-refund --wait

Exit codes:
  0  asked, or it had ended already          5  there is no such run
  2  wrong usage, unknown agent, bad key     6  Temporal cannot be reached`,
  }).action(async (agent: string, key: string, flags: RunFlags) => {
    const ref = runOf(agent, key, flags);
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
  });
}
