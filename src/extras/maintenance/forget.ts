import type { Command } from 'commander';
import type { RunRef } from '../../client/types.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { commandFor, startCommandFor } from '../../cli/commands.ts';
import type { LoadAgents } from '../../cli/open-client.ts';
import { addRunCommand, addRunOptions, runOf, type RunFlags } from '../../cli/options.ts';

/** `agent-once forget`: makes the key of a run that has ended new again. */
export function registerForget(program: Command, loadAgents: LoadAgents): void {
  const command = addRunCommand(program, 'forget', {
    summary: "make an ended run's key new again",
    description:
      'Makes the key of a run that has ended new again: the next start under it makes a new run, which does everything anew. What the forgotten run did stays done; nothing is undone.',
  });
  addRunOptions(command)
    .addHelpText(
      'after',
      `
A run that failed need not be forgotten to go on: agent-once resume goes on, and what it has done
already is not done again.

Examples:
  $ agent-once forget support order-1042-refund
  $ agent-once forget support order-1042-refund --json

Exit codes:
  0  forgotten                               5  there is no such run
  2  wrong usage, unknown agent, bad key     6  Temporal cannot be reached
  7  the run is under way: cancel it first`,
    )
    .action((agent: string, key: string, flags: RunFlags) =>
      runForget(runOf(agent, key, flags), flags, loadAgents),
    );
}

async function runForget(
  ref: Required<RunRef>,
  flags: RunFlags,
  loadAgents: LoadAgents,
): Promise<void> {
  const [{ withRun }, { print, printJson, say }] = await Promise.all([
    import('../../cli/open-client.ts'),
    import('../../cli/output.ts'),
  ]);
  await withRun(ref, loadAgents, async ({ client }) => {
    try {
      const forgotten = await client.forget(ref);
      if (flags.json) {
        printJson({ ...ref, ...forgotten, forgotten: true });
        return;
      }
      print(`forgotten  ${forgotten.workflowId}`);
      say(`The key is new; what the run did stays done. A new run: ${startCommandFor(ref)}`);
    } catch (error) {
      if (!(error instanceof AgentOnceError) || error.code !== 'run.still_running') throw error;
      throw new AgentOnceError(
        error.code,
        `${error.message} Cancel it: ${commandFor('cancel', ref)}`,
        { cause: error },
      );
    }
  });
}
