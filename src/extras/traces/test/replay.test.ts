import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { loadPlugins } from '../../../client/plugins.ts';
import { workflowBundle } from '../../../worker/workflow-code.ts';
import { fromProtoJson } from '../../../../test/replay/proto-json.ts';
import { readHistory } from '../../../../test/replay/recorded.ts';
import '../../../../test/support/use-app.ts';

test("what hands traces on is in the workflows' bundle, and replays a run that had none", async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const bundle = await workflowBundle();
  const code = 'codePath' in bundle ? await readFile(bundle.codePath, 'utf8') : bundle.code;
  expect(code).toContain('_tracer-data');
  const plugins = await loadPlugins();
  const history = fromProtoJson(readHistory('0.1.0', 'completed'));
  await Worker.runReplayHistory({ workflowBundle: bundle, plugins }, history);
});
