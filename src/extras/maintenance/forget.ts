import type { Command } from 'commander';
import { AgentOnceError } from '../../contract/errors.ts';
import { commandFor, startCommandFor } from '../../cli/commands.ts';
import { withRun, type LoadAgents } from '../../cli/open-client.ts';
import { addRunCommand, runOf, type RunFlags } from '../../cli/options.ts';
import { print, printJson, say } from '../../cli/output.ts';

/** `agent-once forget`: makes the key of a run that has ended new again. */
export function registerForget(program: Command, loadAgents: LoadAgents): void {
  addRunCommand(program, 'forget', {
    summary: "make an ended run's key new again",
    description:
      'Makes the key of a run that has ended new again: the next start under it makes a new run, which does everything anew. What the forgotten run did stays done; nothing is undone.',
    help: `
A run that failed need not be forgotten to go on: agent-once resume goes on, and what it has done
already is not done again.

Examples:
  $ agent-once forget support order-1042-refund
  $ agent-once forget support order-1042-refund --json

Exit codes:
  0  forgotten                               5  there is no such run
  2  wrong usage, unknown agent, bad key     6  Temporal cannot be reached
  7  the run is under way: cancel it first`,
  }).action(async (agent: string, key: string, flags: RunFlags) => {
    const ref = runOf(agent, key, flags);
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
  });
}
