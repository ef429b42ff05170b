import { DefaultLogger, Runtime, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { fromProtoJson } from './proto-json.ts';
import type { RecordedHistory } from './recorded.ts';

/** Once for each suite that replays, before it does. */
export function installRuntime(): void {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
}

/** @throws where the workflow code of the bundle does something else than the history says */
export function replay(workflowBundle: WorkflowBundleOption, history: RecordedHistory) {
  return Worker.runReplayHistory({ workflowBundle }, fromProtoJson(history));
}

/** What the replay of a history is refused with, that the workflow code does not fit. */
export const REFUSED = {
  name: 'DeterminismViolationError',
  message: /\[TMPRL1100\] Nondeterminism error/,
};
