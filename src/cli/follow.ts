import type { AgentOnceClient } from '../client/agent-once-client.ts';
import type { RunRef, RunView } from '../client/types.ts';
import { AgentOnceError, type ErrorCode } from '../contract/errors.ts';
import { commandFor, EXIT, hasCommand } from './commands.ts';
import { createLiveProgress, type LiveProgress } from './live-progress.ts';
import { nameQuestions } from './show-questions.ts';

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
  const interrupted = new AbortController();
  const deadline = wait === true ? undefined : Date.now() + wait * 1_000;
  // Once: a second Ctrl-C ends the process as usual.
  process.once('SIGINT', onInterrupt);
  function onInterrupt(): void {
    interrupted.abort(
      new AgentOnceError(
        'run.still_running',
        `Stopped waiting; the run goes on. Follow it: ${commandFor('result', ref, ['--wait'])}`,
      ),
    );
  }
  const progress = createLiveProgress(startedAt);
  try {
    for (;;) {
      const ended = await waitOnce(client, ref, deadline, interrupted.signal, progress);
      if (!(ended instanceof AgentOnceError)) return { view: ended, exitCode: exitCodeOf(ended) };
      const view = await client.describe(ref);
      if (interrupted.signal.aborted) {
        const early = { code: ended.code, message: ended.message };
        return { view, exitCode: EXIT.interrupted, early };
      }
      if (ended.code === 'run.still_running') {
        const message = `The run had not ended after ${String(wait)} s; it goes on. Follow it: ${commandFor('result', ref, ['--wait'])}`;
        return { view, exitCode: ended.exitCode, early: { code: ended.code, message } };
      }
      // Somebody may have answered meanwhile.
      if (view.closedAt !== null) return { view, exitCode: exitCodeOf(view) };
      if (view.status === 'waiting') return waitingRun(view);
    }
  } finally {
    progress.end();
    process.off('SIGINT', onInterrupt);
  }
}

/** The run at its end, or why the waiting ended before it. */
async function waitOnce(
  client: AgentOnceClient,
  ref: Required<RunRef>,
  deadline: number | undefined,
  interrupted: AbortSignal,
  progress: LiveProgress,
): Promise<RunView | AgentOnceError> {
  const stopping = new AbortController();
  try {
    return await client.result(ref, {
      signal: AbortSignal.any([interrupted, stopping.signal]),
      ...(deadline === undefined ? {} : { timeoutMs: Math.max(0, deadline - Date.now()) }),
      onProgress: (news) => {
        progress.show(news);
        if (news.waiting.length > 0) stopping.abort(new AgentOnceError('run.waiting', WAITS));
      },
    });
  } catch (error) {
    if (!(error instanceof AgentOnceError)) throw error;
    if (error.code !== 'run.still_running' && error.code !== 'run.waiting') throw error;
    return error;
  }
}

const WAITS = 'The run waits for a person';

/** A run that waits for a person: there is no use in waiting for its end. */
export function waitingRun(view: RunView): Followed {
  const how = hasCommand('resolve') ? ` How to answer: ${commandFor('status', view)}` : '';
  const message = `${WAITS}: ${nameQuestions(view)}.${how}`;
  return { view, exitCode: EXIT.waiting, early: { code: 'run.waiting', message } };
}

/** Exit code of a command that tells how a run stands. */
export function exitCodeOf(view: RunView): number {
  return view.status === 'failed' || view.status === 'cancelled' ? EXIT.failed : EXIT.done;
}
