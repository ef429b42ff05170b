import type { Command } from 'commander';
import type { RunRef } from '../client/types.ts';
import { commandFor, START_A_WORKER } from './commands.ts';
import type { LoadAgents } from './open-client.ts';
import { addRunCommand, addRunOptions, runOf, type RunFlags } from './options.ts';

/** `agent-once status`: what a run is doing, or how it ended. */
export function registerStatus(program: Command, loadAgents: LoadAgents): void {
  const command = addRunCommand(program, 'status', {
    summary: 'show a run',
    description: 'Shows what a run is doing, or how it ended.',
  });
  addRunOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ agent-once status support order-1042-refund
  $ agent-once status support order-1042-refund --json | jq .usage

Exit codes:
  0  the run was found, however it stands    5  there is no such run
  2  wrong usage, unknown agent, bad key     6  Temporal cannot be reached`,
    )
    .action((agent: string, key: string, flags: RunFlags) =>
      runStatus(runOf(agent, key, flags), flags, loadAgents),
    );
}

async function runStatus(
  ref: Required<RunRef>,
  flags: RunFlags,
  loadAgents: LoadAgents,
): Promise<void> {
  const [
    { withRun },
    { coloursOf, print, printJson, say },
    { drawRun },
    { drawQuestions },
    { afterFailure },
  ] = await Promise.all([
    import('./open-client.ts'),
    import('./output.ts'),
    import('./show-run.ts'),
    import('./show-questions.ts'),
    import('./after-failure.ts'),
  ]);
  await withRun(ref, loadAgents, async ({ client, urlOf }) => {
    const view = await client.describe(ref);
    if (flags.json) {
      printJson({ ...view, replayed: true });
      return;
    }
    const state = view.closedAt === null ? await client.state(ref) : undefined;
    print(drawRun(coloursOf(process.stdout), view, { url: urlOf(view.workflowId), state }));
    for (const line of drawQuestions(ref, view)) say(line);
    if (view.status === 'completed') say(`Its result: ${commandFor('result', ref)}`);
    if (view.error) for (const line of afterFailure(view)) say(line);
    if (view.closedAt === null && !state) {
      say(`No worker answered: the run goes on when one is there. ${START_A_WORKER}`);
    }
  });
}
