import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { withRequestId } from '../../src/client/request-id.ts';
import { connectTestClient, type TestClient } from '../support/servers.ts';

let temporal: TestClient;

beforeAll(async () => {
  temporal = await connectTestClient();
});
afterAll(() => temporal.close());

test('starts with one request ID are one start, also after it has closed', async () => {
  const workflowId = `request-id-${crypto.randomUUID()}`;
  const start = async (requestId: string) => {
    const options = { workflowId, taskQueue: 'nobody', workflowIdConflictPolicy: 'FAIL' as const };
    const handle = await temporal.client.workflow.start('x', withRequestId(options, requestId));
    return handle.firstExecutionRunId;
  };
  const runId = await start('one');
  expect(await start('one')).toBe(runId);
  await expect(start('two')).rejects.toThrow(WorkflowExecutionAlreadyStartedError);
  await temporal.client.workflow.getHandle(workflowId, runId).terminate('test');
  expect(await start('one')).toBe(runId);
  expect(await start('two')).not.toBe(runId);
});
