import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import { TASK_QUEUE } from '../../src/contract/names.ts';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
  await system.startWorker({ TEST_OWN_APP: '1' });
});
afterAll(() => system.close());

/** Runs the app's own workflow, whose activity fails so many times. */
function greet(workflowId: string, failures: number): Promise<unknown> {
  return system.temporal.workflow.execute('greet', {
    workflowId,
    taskQueue: TASK_QUEUE,
    args: ['ada', failures],
  });
}

async function play(key: string, tool: string): Promise<unknown> {
  const input = script(calls([tool, { name: 'ada' }]), { say: 'done' });
  const client = new AgentOnceClient({ temporal: system.temporal });
  await client.start({ agent: 'host', key, input });
  return client.result({ agent: 'host', key });
}

test("a workflow of the app's own runs beside the engine's, with files in subfolders", async () => {
  expect(await greet('own-1', 0)).toBe('Good day, ADA.');
});

test('an activity of its own is tried as often as its workflow says, whatever it throws', async () => {
  expect(await greet('own-2', 1)).toBe('Good day, ADA.');
  await expect(greet('own-3', 2)).rejects.toMatchObject({
    cause: { cause: { message: expect.stringMatching(/^attempt 2 failed/) } },
  });
});

test('an activity that no worker has is named', async () => {
  const called = system.temporal.workflow.execute('callMissing', {
    workflowId: 'own-missing',
    taskQueue: TASK_QUEUE,
  });
  const message = expect.stringContaining('does not know the activity "missing"');
  await expect(called).rejects.toMatchObject({ cause: { cause: { message } } });
});

test('a workflow that a keyed tool starts under its token is started once', async () => {
  expect(await play('own-4', 'greet_guest')).toMatchObject({ status: 'completed' });
  const scope = await system.scopeOf('agent-host-own-4');
  const [step] = (await system.ledger.steps(scope)).filter(({ step }) => step === 't1.c0');
  expect(step).toMatchObject({ attempts: 2, result: 'Good day, ADA.' });
  const { status } = await system.temporal.workflow.getHandle(`${scope}:t1.c0`).describe();
  expect(status.name).toBe('COMPLETED');
});

test('a worker makes tables of the app when it starts, and a tool writes there', async () => {
  expect(await play('own-5', 'remember_guest')).toMatchObject({ status: 'completed' });
  const scope = await system.scopeOf('agent-host-own-5');
  const { rows } = await system.sql.query('SELECT name, token FROM app.guests');
  expect(rows).toEqual([{ name: 'ada', token: `${scope}:t1.c0` }]);
});

test('where task queues are split, own activities run with the workflows', async () => {
  const split = await startTestSystem();
  try {
    await split.startWorker({
      TEST_OWN_APP: '1',
      AGENT_ONCE_SPLIT_TASK_QUEUES: 'on',
      TEST_ONLY: 'workflows',
    });
    const greeted = split.temporal.workflow.execute('greet', {
      workflowId: 'own-6',
      taskQueue: TASK_QUEUE,
      args: ['ada', 0],
    });
    expect(await greeted).toBe('Good day, ADA.');
  } finally {
    await split.close();
  }
});
