import type { Command } from 'commander';
import { afterFailure } from './after-failure.ts';
import { commandFor, START_A_WORKER } from './commands.ts';
import { withRun, type LoadAgents } from './open-client.ts';
import { addRunCommand, runOf, type RunFlags } from './options.ts';
import { coloursOf, print, printJson, say } from './output.ts';
import { drawQuestions } from './show-questions.ts';
import { drawRun } from './show-run.ts';

/** `agent-once status`: what a run is doing, or how it ended. */
export function registerStatus(program: Command, loadAgents: LoadAgents): void {
  addRunCommand(program, 'status', {
    summary: 'show a run',
    description: 'Shows what a run is doing, or how it ended.',
    help: `
Examples:
  $ agent-once status support order-1042-refund
  $ agent-once status support order-1042-refund --json | jq .usage

Exit codes:
  0  the run was found, however it stands    5  there is no such run
  2  wrong usage, unknown agent, bad key     6  Temporal cannot be reached`,
  }).action(async (agent: string, key: string, flags: RunFlags) => {
    const ref = runOf(agent, key, flags);
    await withRun(ref, loadAgents, async ({ client, urlOf }) => {
      const view = await client.describe(ref);
      if (flags.json) {
        printJson({ ...view, replayed: true });
        return;
      }
      const state = view.closedAt === null ? await client.state(ref) : undefined;
      const url = urlOf(view.workflowId, view.waiting[0]?.step);
      print(drawRun(coloursOf(process.stdout), view, { url, state }));
      for (const line of drawQuestions(ref, view)) say(line);
      if (view.status === 'completed') say(`Its result: ${commandFor('result', ref)}`);
      if (view.error) for (const line of afterFailure(view)) say(line);
      if (view.closedAt === null && !state) {
        say(`No worker answered: the run goes on when one is there. ${START_A_WORKER}`);
      }
    });
  });
}
