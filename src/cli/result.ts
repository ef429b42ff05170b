import type { Command } from 'commander';
import { commandFor, EXIT } from './commands.ts';
import { exitCodeOf, followRun, waitingRun, type Followed } from './follow.ts';
import { withRun, type LoadAgents } from './open-client.ts';
import { addRunCommand, runOf, waitOption, type RunFlags, type WaitFlag } from './options.ts';
import { showEnd } from './show-end.ts';

/** `agent-once result`: the bare result of a run. */
export function registerResult(program: Command, loadAgents: LoadAgents): void {
  addRunCommand(program, 'result', {
    summary: "print a run's result",
    description: "Prints a run's result, and nothing else, on stdout: text as it is, JSON as JSON.",
    options: [waitOption()],
    help: `
Examples:
  $ agent-once result support order-1042-refund
  $ agent-once result support order-1042-refund --wait=300 > answer.txt

Exit codes:
  0  completed                               5  there is no such run
  2  wrong usage, unknown agent, bad key     6  Temporal cannot be reached
  4  the run failed or was cancelled         7, 8  still running, waits for a person`,
  }).action(async (agent: string, key: string, flags: RunFlags & WaitFlag) => {
    const ref = runOf(agent, key, flags);
    await withRun(ref, loadAgents, async ({ client }) => {
      const view = await client.describe(ref);
      let followed: Followed = { view, exitCode: exitCodeOf(view) };
      if (view.status === 'waiting') {
        followed = waitingRun(view);
      } else if (view.closedAt === null && flags.wait !== undefined) {
        followed = await followRun(client, ref, flags.wait, view.startedAt);
      } else if (view.closedAt === null) {
        // Without an answer of a worker, there is no usage.
        const alone = view.usage ? '' : ' No worker answered: it goes on when one is there.';
        const message = `The run has not ended.${alone} Wait for it: ${commandFor('result', ref, ['--wait'])}`;
        const early = { code: 'run.still_running' as const, message };
        followed = { view, exitCode: EXIT.stillRunning, early };
      }
      showEnd(followed, flags.json === true, { replayed: true });
    });
  });
}
