import { beforeAll, describe, expect, test } from '@jest/globals';
import { DefaultLogger, Runtime, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { registerPlugins } from '../../../client/plugins.ts';
import { workflowBundle } from '../../../worker/workflow-code.ts';
import { fromProtoJson } from '../../../../test/replay/proto-json.ts';
import { kindsOf, readHistory, VERSIONS } from '../../../../test/replay/recorded.ts';
import { createPlugin } from '../plugin.ts';
import { createSpans } from '../spans.ts';

// Recorded without traces. What hands them on must not change what a run does.
const plugin = createPlugin(createSpans());
let bundle: WorkflowBundleOption;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  registerPlugins([{ plugins: () => Promise.resolve([plugin]) }]);
  bundle = await workflowBundle();
});

test("the workflows' bundle has the interceptors in it", async () => {
  const { readFile } = await import('node:fs/promises');
  const code = 'codePath' in bundle ? await readFile(bundle.codePath, 'utf8') : bundle.code;
  expect(code).toContain('_tracer-data');
});

describe.each(VERSIONS)('with traces, version %s', (version) => {
  test.each(kindsOf(version))('is replayed: $holds', async ({ kind }) => {
    const history = fromProtoJson(readHistory(version, kind));
    await Worker.runReplayHistory({ workflowBundle: bundle, plugins: [plugin] }, history);
  });
});
