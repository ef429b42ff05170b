import { isCancellation, type EventGroupMarker } from '@temporalio/workflow';
import { hasFastLane, toolActivity, type TaskQueues } from '../contract/names.ts';
import type { AgentSettings } from '../contract/settings.ts';
import { toolStep, type PlannedCall, type StepRun, type ToolStepInput } from '../contract/step.ts';
import type { Answer, Decisions } from './decisions.ts';
import { fenceOf, isLackedHere } from './fail-run.ts';
import type { Progress } from './progress.ts';
import { callLine } from './step-lines.ts';
import { callFastTool, callTool } from './steps.ts';

/** What the calls of one turn share. */
export interface Turn {
  run: StepRun;
  turn: number;
  queues: TaskQueues;
  settings: AgentSettings | undefined;
  group: EventGroupMarker;
  progress: Progress;
  decisions: Decisions;
}

/**
 * Runs the calls of one turn concurrently; one that fails leaves the others to their end.
 *
 * @throws what the first of them failed with
 */
export async function runCalls(calls: PlannedCall[], now: Turn): Promise<void> {
  const { run, turn, settings, progress } = now;
  const historyResults = settings?.historyResults ?? 'preview';
  const running = calls.map(({ lane, effect: _effect, ...call }) => {
    const known = { ...progress.seen.ledger, ...progress.seen.ofCall(turn, call.index) };
    return runCall({ run, turn, historyResults, ...call, ...known }, lane, now);
  });
  const failures: unknown[] = [];
  for (const call of running) {
    const failed = await call;
    if (failed) failures.push(failed.error);
  }
  // A cancelled run is cancelled, even if another of its calls failed on the way.
  const failure = failures.find(isCancellation) ?? failures[0];
  if (failure !== undefined) throw failure;
}

/** Resolves when the call has ended, and never rejects: the other calls are waited for. */
async function runCall(
  call: ToolStepInput,
  lane: PlannedCall['lane'],
  { queues, progress, decisions, group }: Turn,
): Promise<{ error: unknown } | undefined> {
  const { turn, index, tool, summary } = call;
  const asks = call.questions?.approval !== undefined;
  let step = call;
  let answer: Answer | undefined;
  let fast = lane === 'fast' && hasFastLane(queues);
  const row = progress.begin(toolStep(turn, index), toolActivity(tool), summary);
  for (;;) {
    try {
      if (answer?.summary !== undefined) progress.changed(row, answer.summary);
      const line = callLine(turn, row.summary, asks, answer?.decision ?? undefined);
      const end = await (fast
        ? callFastTool(line, step)
        : callTool(queues.tools, line, step, group));
      if ('waiting' in end) {
        // The ledger keeps the answer: the step, scheduled again, finds it there.
        if (end.fence !== undefined) {
          progress.seen.addCall(call, { fence: end.fence });
          step = { ...step, fence: end.fence };
        }
        answer = await group.withScope(() => decisions.wait(end.waiting));
        continue;
      }
      progress.seen.addCall(call, 'done');
      progress.toolAnswered(row, end);
      return undefined;
    } catch (error) {
      // This worker lacks the tool. In the standard lane any other may take the step.
      if (fast && isLackedHere(error)) {
        fast = false;
        continue;
      }
      const fence = fenceOf(error);
      if (fence !== undefined) progress.seen.addCall(call, { fence });
      progress.failed(row);
      return { error };
    }
  }
}
