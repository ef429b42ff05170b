import { Option, type Command } from 'commander';
import type { App } from './app.ts';
import type { RunRef } from '../client/types.ts';
import { readConfig } from '../config.ts';
import { defined } from '../contract/defined.ts';
import { AgentOnceError } from '../contract/errors.ts';
import type { ResumeLimits } from '../contract/run.ts';
import { INPUT_TO_FILL_IN, startCommandFor } from './commands.ts';
import { openRegistry, withRun } from './open-client.ts';
import {
  addRunCommand,
  limitOptions,
  limitsOf,
  runOf,
  waitOption,
  type RunFlags,
  type WaitFlag,
} from './options.ts';
import { say } from './output.ts';
import { showStart } from './show-start.ts';

type ResumeFlags = RunFlags & WaitFlag & ResumeLimits;

/** `agent-once resume`: goes on with a run that failed. */
export function registerResume(program: Command, app: App): void {
  addRunCommand(program, 'resume', {
    summary: 'go on with a run that failed or was cancelled',
    description:
      'Goes on where a run stopped that failed, or was cancelled or terminated: what is recorded does not run again. The input is read from Temporal. A run that is under way or has completed stays as it is, which is no error.',
    options: [
      new Option('--model <model>', 'another model, from the first step that is not recorded on'),
      ...limitOptions("model calls at most, instead of the run's own; those before it count"),
      waitOption(),
    ],
    help: `
What is not given stays as it was in the run that is resumed.
A run that was forgotten, or whose key has expired, is not resumed: a start makes a new one.

Examples:
  $ agent-once resume support order-1042-refund --wait
  $ agent-once resume support order-1042-refund --max-turns 40
  $ agent-once resume support order-1042-refund --model gpt-6-luna --reasoning-effort low

Exit codes:
  0  goes on, or nothing was to be resumed   5  there is no such run, or no request of it
  2  wrong usage, unknown agent, bad key     6  Temporal cannot be reached
  4  when waiting: it failed again           7, 8  when waiting: still running, waits for a person`,
  }).action(async (agent: string, key: string, flags: ResumeFlags) => {
    const ref = runOf(agent, key, flags);
    const registry = await openRegistry(readConfig(), app);
    const options = defined({ limits: limitsOf(flags) });
    await withRun(
      ref,
      app.agents,
      async ({ client, urlOf }) => {
        try {
          const resumed = await client.resume(ref, options);
          if (resumed.replayed) say(`Nothing was resumed: the run ${howItStands(resumed.status)}.`);
          await showStart(client, resumed, flags, urlOf(resumed.workflowId));
        } catch (error) {
          throw withWayOut(error, ref);
        }
      },
      registry,
    );
  });
}

function howItStands(status: string): string {
  if (status === 'completed') return 'has completed';
  return status === 'running' || status === 'waiting' ? 'is under way' : 'has ended meanwhile';
}

/** Where the run cannot be resumed, the command with which it can be started. */
function withWayOut(error: unknown, ref: Required<RunRef>): unknown {
  if (!(error instanceof AgentOnceError)) return error;
  const { code, message } = error;
  const more =
    code === 'run.request_unknown'
      ? `Bring its input along: ${startCommandFor(ref, ['--retry-failed'], INPUT_TO_FILL_IN.same)}`
      : code === 'run.not_found' || code === 'run.expired'
        ? `A start with its input makes a NEW run: ${startCommandFor(ref)}`
        : undefined;
  return more === undefined
    ? error
    : new AgentOnceError(code, `${message} ${more}`, { cause: error });
}
