import type { Command } from 'commander';
import type { RunRef } from '../client/types.ts';
import { commandFor, EXIT } from './commands.ts';
import type { Followed } from './follow.ts';
import type { LoadAgents } from './open-client.ts';
import {
  addRunCommand,
  addRunOptions,
  runOf,
  waitOption,
  type RunFlags,
  type WaitFlag,
} from './options.ts';

/** `agent-once result`: the bare result of a run. */
export function registerResult(program: Command, loadAgents: LoadAgents): void {
  const command = addRunCommand(program, 'result', {
    summary: "print a run's result",
    description: "Prints a run's result, and nothing else, on stdout: text as it is, JSON as JSON.",
  }).addOption(waitOption());
  addRunOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ agent-once result support order-1042-refund
  $ agent-once result support order-1042-refund --wait=300 > answer.txt

Exit codes:
  0  completed                               5  there is no such run
  2  wrong usage, unknown agent, bad key     6  Temporal cannot be reached
  4  the run failed or was cancelled         7, 8  still running, waits for a person`,
    )
    .action((agent: string, key: string, flags: RunFlags & WaitFlag) =>
      runResult(runOf(agent, key, flags), flags, loadAgents),
    );
}

async function runResult(
  ref: Required<RunRef>,
  flags: RunFlags & WaitFlag,
  loadAgents: LoadAgents,
): Promise<void> {
  const [{ withRun }, { exitCodeOf, followRun, waitingRun }, { showEnd }] = await Promise.all([
    import('./open-client.ts'),
    import('./follow.ts'),
    import('./show-end.ts'),
  ]);
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
      followed = {
        view,
        exitCode: EXIT.stillRunning,
        early: { code: 'run.still_running', message },
      };
    }
    showEnd(followed, flags.json === true, { replayed: true });
  });
}
