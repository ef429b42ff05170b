import type { Command } from 'commander';
import { DEFAULT_TENANT } from '../contract/key.ts';
import { commandFor, EXIT } from './commands.ts';
import type { Followed } from './follow.ts';
import { addRunOptions, waitOption, type RunFlags, type WaitFlag } from './options.ts';

/** `agent-once result`: the bare result of a run. */
export function registerResult(program: Command): void {
  const command = program
    .command('result')
    .summary("print a run's result")
    .description("Prints a run's result, and nothing else, on stdout: text as it is, JSON as JSON.")
    .argument('<agent>', 'name of the agent')
    .argument('<key>', 'idempotency key of the run')
    .addOption(waitOption());
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
    .action(runResult);
}

async function runResult(agent: string, key: string, flags: RunFlags & WaitFlag): Promise<void> {
  const [{ withRun }, { exitCodeOf, followRun, waitsForPerson }, { showEnd }] = await Promise.all([
    import('./open-client.ts'),
    import('./follow.ts'),
    import('./show-end.ts'),
  ]);
  const ref = { agent, key, tenant: flags.tenant ?? DEFAULT_TENANT };
  await withRun(ref, async ({ client }) => {
    const view = await client.describe(ref);
    let followed: Followed = { view, exitCode: exitCodeOf(view) };
    if (view.status === 'waiting') {
      const { code, message } = waitsForPerson(ref);
      followed = { view, exitCode: EXIT.waiting, early: { code, message } };
    } else if (view.closedAt === null && flags.wait !== undefined) {
      followed = await followRun(client, ref, flags.wait, view.startedAt);
    } else if (view.closedAt === null) {
      const message = `The run has not ended. Wait for it: ${commandFor('result', ref, ' --wait')}`;
      followed = {
        view,
        exitCode: EXIT.stillRunning,
        early: { code: 'run.still_running', message },
      };
    }
    showEnd(followed, flags.json === true);
  });
}
