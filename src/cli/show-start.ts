import type { AgentOnceClient } from '../client/agent-once-client.ts';
import type { RunView, StartedRun } from '../client/types.ts';
import { AgentOnceError } from '../contract/errors.ts';
import { afterFailure } from './after-failure.ts';
import { commandFor } from './commands.ts';
import { exitCodeOf, followRun } from './follow.ts';
import type { RunFlags, WaitFlag } from './options.ts';
import { coloursOf, print, printJson, say } from './output.ts';
import { showEnd } from './show-end.ts';
import { drawRun } from './show-run.ts';

/** Shows what a start or a resume made or found, or with `--wait` how it ends. */
export async function showStart(
  client: AgentOnceClient,
  started: StartedRun,
  flags: RunFlags & WaitFlag & { dedupeWindow?: number },
  url: string,
): Promise<void> {
  const { replayed, keyGenerated, resumed, definitionChanged } = started;
  const more = { replayed, keyGenerated, resumed, definitionChanged };
  const open = started.closedAt === null;
  if (flags.dedupeWindow !== undefined) {
    say(
      `No key was given; the same input is the same run for ${flags.dedupeWindow} s from its first start. Its key: ${started.key}`,
    );
  } else if (keyGenerated) {
    say(`No key was given; this one was made: ${started.key}\nRepeating the request needs it.`);
  }
  if (replayed) {
    say(`Replayed: the key names a run that ${open ? 'is under way' : 'has ended'}.`);
  } else if (resumed) {
    say('Resumed: the run goes on where it had failed; nothing that is recorded runs again.');
    if (definitionChanged) {
      say(
        "The agent's definition has changed since: recorded steps count, what comes follows the new definition.",
      );
    }
  }
  if (flags.wait !== undefined) {
    if (!replayed) {
      say(coloursOf(process.stderr).dim(`started ${started.workflowId} · ${url}`));
    }
    const followed = await followRun(client, started, flags.wait, started.startedAt);
    showEnd(followed, flags.json === true, more);
    return;
  }
  // Of a run that somebody else started more is known than its start.
  const view = replayed && open ? await lookAgain(client, started) : started;
  process.exitCode = exitCodeOf(view);
  if (flags.json) {
    printJson({ ...view, ...more });
    return;
  }
  print(drawRun(coloursOf(process.stdout), view, { url }));
  if (view.closedAt === null) say(`Follow it: ${commandFor('result', started, ['--wait'])}`);
  else if (view.status === 'completed') say(`Its result: ${commandFor('result', started)}`);
  else for (const line of afterFailure(view)) say(line);
}

/** The run as it is by now; as the start found it where it ended and its key was forgotten since. */
async function lookAgain(client: AgentOnceClient, started: StartedRun): Promise<RunView> {
  try {
    return await client.describe(started);
  } catch (error) {
    if (error instanceof AgentOnceError && error.code === 'run.not_found') return started;
    throw error;
  }
}
