import type { AgentOnceClient } from '../client/agent-once-client.ts';
import type { RunRef, RunView } from '../client/types.ts';
import { AgentOnceError, type ErrorCode } from '../contract/errors.ts';
import { commandFor, EXIT } from './commands.ts';
import { createLiveProgress } from './live-progress.ts';

/** How the waiting for a run ended: at its end, or before. */
export interface Followed {
  view: RunView;
  exitCode: number;
  /** Why the waiting ended before the run did. */
  early?: { code: ErrorCode; message: string };
}

/** Waits for a run and shows its progress; ends early at the deadline, at Ctrl-C, and when it waits. */
export async function followRun(
  client: AgentOnceClient,
  ref: Required<RunRef>,
  wait: number | true,
  startedAt: string,
): Promise<Followed> {
  const stopping = new AbortController();
  let interrupted = false;
  // Once: a second Ctrl-C ends the process as usual.
  process.once('SIGINT', onInterrupt);
  function onInterrupt(): void {
    interrupted = true;
    stopping.abort(
      new AgentOnceError(
        'run.still_running',
        `Stopped waiting; the run goes on. Follow it: ${commandFor('result', ref, ' --wait')}`,
      ),
    );
  }
  const progress = createLiveProgress(startedAt);
  try {
    const view = await client.result(ref, {
      signal: stopping.signal,
      ...(wait === true ? {} : { timeoutMs: wait * 1_000 }),
      onProgress: (news) => {
        progress.show(news);
        if (news.state?.status === 'waiting') stopping.abort(waitsForPerson(ref));
      },
    });
    return { view, exitCode: exitCodeOf(view) };
  } catch (error) {
    if (!(error instanceof AgentOnceError)) throw error;
    if (error.code !== 'run.still_running' && error.code !== 'run.waiting') throw error;
    const early = { code: error.code, message: error.message };
    if (error.code === 'run.still_running' && !interrupted) {
      early.message = `The run had not ended after ${String(wait)} s; it goes on. Follow it: ${commandFor('result', ref, ' --wait')}`;
    }
    const view = await client.describe(ref);
    const exitCode = interrupted ? EXIT.interrupted : error.exitCode;
    return { view, exitCode, early };
  } finally {
    progress.end();
    process.off('SIGINT', onInterrupt);
  }
}

export function waitsForPerson(ref: Required<RunRef>): AgentOnceError {
  return new AgentOnceError(
    'run.waiting',
    `The run waits for a person. What for: ${commandFor('status', ref)}`,
  );
}

/** Exit code of a command that tells how a run stands. */
export function exitCodeOf(view: RunView): number {
  return view.status === 'failed' || view.status === 'cancelled' ? EXIT.failed : EXIT.done;
}
