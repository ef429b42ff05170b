import { DefaultLogger, Runtime, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { loadPlugins } from '../../src/client/plugins.ts';
// What extras of the app put into the workflows' bundle is replayed with it.
import '../support/use-app.ts';
import { fromProtoJson } from './proto-json.ts';
import type { RecordedHistory } from './recorded.ts';

/** Once for each suite that replays, before it does. */
export function installRuntime(): void {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
}

/** @throws where the workflow code of the bundle does something else than the history says */
export async function replay(workflowBundle: WorkflowBundleOption, history: RecordedHistory) {
  const plugins = await loadPlugins();
  return Worker.runReplayHistory({ workflowBundle, plugins }, fromProtoJson(history));
}

/** What the replay of a history is refused with, that the workflow code does not fit. */
export const REFUSED = {
  name: 'DeterminismViolationError',
  message: /\[TMPRL1100\] Nondeterminism error/,
};
