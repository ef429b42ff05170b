import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { RunView } from '../../../src/client/types.ts';
import type { StepRecord } from '../../../src/ledger/port.ts';
import { message, startBackgroundEndpoint } from '../../support/background-endpoint.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';

let system: TestSystem;
let endpoint: Awaited<ReturnType<typeof startBackgroundEndpoint>>;

beforeAll(async () => {
  [system, endpoint] = await Promise.all([startTestSystem(), startBackgroundEndpoint()]);
});
afterAll(async () => {
  await system.close();
  await endpoint.stop();
});
beforeEach(() => endpoint.reset());

/** A run of one turn, whose answer is made in the background. */
async function start(key: string, agent = 'tester') {
  const { workflowId } = await system.client.start({ agent, key, input: 'hello' });
  const scope = await system.scopeOf(workflowId);
  const record = async (step = 't1.model'): Promise<StepRecord> => {
    const found = await system.ledger.step(scope, step);
    if (!found) throw new Error('There is no such step yet.');
    return found;
  };
  return {
    workflowId,
    record,
    untilPending: () =>
      eventually(async () => expect((await record()).asking?.pending).toBeDefined()),
    end: (): Promise<RunView> => untilEnd(system.client, { agent, key }),
  };
}

const codesOf = ({ errors }: StepRecord) => new Set(errors.map(({ code }) => code));
const startWorker = () => system.startWorker({ ...endpoint.env, TEST_GRACE_MS: '500' });

test('killed after the ID of a response was written, the next worker fetches that one', async () => {
  endpoint.state.held = true;
  const victim = await startWorker();
  const run = await start('killed-after');
  await run.untilPending();
  await victim.kill();
  const survivor = await startWorker();
  try {
    endpoint.state.held = false;
    expect(await run.end()).toMatchObject({ status: 'completed', result: 'made' });
    expect(endpoint.counts.creates).toBe(1);
    expect(await run.record()).toMatchObject({ attempts: 2, unknownAttempts: 0, errors: [] });
  } finally {
    await survivor.kill();
  }
});

test('killed before the ID of a response was known, the next worker asks anew, and says that one was perhaps paid for', async () => {
  endpoint.state.mute = true;
  const victim = await startWorker();
  const run = await start('killed-before');
  await eventually(() => expect(endpoint.counts.creates).toBe(1));
  await victim.kill();
  endpoint.state.mute = false;
  const survivor = await startWorker();
  try {
    expect(await run.end()).toMatchObject({ status: 'completed', result: 'made' });
    expect(endpoint.counts.creates).toBe(2);
    expect(await run.record()).toMatchObject({ unknownAttempts: 1 });
  } finally {
    await survivor.kill();
  }
});

test('killed when the answer was read and not recorded, it is read again', async () => {
  const victim = await system.startWorker({
    ...endpoint.env,
    AGENT_ONCE_FAULT: 'after-effect:model',
  });
  const run = await start('killed-read');
  expect(await victim.untilEnded()).toBe('SIGKILL');
  const survivor = await startWorker();
  try {
    expect(await run.end()).toMatchObject({ status: 'completed', result: 'made' });
    expect(endpoint.counts.creates).toBe(1);
    expect(await run.record()).toMatchObject({ attempts: 2, unknownAttempts: 0 });
  } finally {
    await survivor.kill();
  }
});

test('an attempt whose time is over leaves the response to the next, and uses up none of them', async () => {
  endpoint.state.held = true;
  const worker = await startWorker();
  try {
    const run = await start('late', 'hasty');
    // More than its policy has.
    await eventually(async () => expect((await run.record()).attempts).toBeGreaterThan(2));
    endpoint.state.held = false;
    expect(await run.end()).toMatchObject({ status: 'completed', result: 'made' });
    expect(endpoint.counts).toMatchObject({ creates: 1, cancels: 0 });
    const record = await run.record();
    expect(record).toMatchObject({ unknownAttempts: 0 });
    expect(codesOf(record)).toEqual(new Set(['model.pending']));
  } finally {
    await worker.kill();
  }
});

test('a worker that stops leaves the response to another', async () => {
  endpoint.state.held = true;
  const first = await startWorker();
  const run = await start('stopped');
  await run.untilPending();
  await first.stop();
  const record = await run.record();
  expect(record).toMatchObject({ state: 'failed', asking: { pending: { responseId: 'resp_1' } } });
  expect(codesOf(record)).toEqual(new Set(['model.pending']));
  const second = await startWorker();
  try {
    endpoint.state.held = false;
    expect(await run.end()).toMatchObject({ status: 'completed', result: 'made' });
    expect(endpoint.counts).toMatchObject({ creates: 1, cancels: 0 });
    expect(await run.record()).toMatchObject({ unknownAttempts: 0 });
  } finally {
    await second.kill();
  }
});

test('whoever takes a shared call over fetches the response that was begun for it', async () => {
  endpoint.state.held = true;
  const worker = await startWorker();
  try {
    const owner = await start('owner', 'thrifty');
    await owner.untilPending();
    const waiting = await start('waiting', 'thrifty');
    await eventually(async () => expect((await waiting.record()).state).toBe('claimed'));
    await system.temporal.workflow.getHandle(owner.workflowId).terminate('by a test');
    await eventually(async () => expect((await owner.record()).state).toBe('failed'));
    endpoint.state.held = false;
    expect(await waiting.end()).toMatchObject({ status: 'completed', result: 'made' });
    expect(endpoint.counts).toMatchObject({ creates: 1, cancels: 0 });
    expect(await waiting.record()).toMatchObject({ unknownAttempts: 0, errors: [] });
  } finally {
    await worker.kill();
  }
});

test('a run that is cancelled cancels its response at the endpoint', async () => {
  endpoint.state.held = true;
  const worker = await startWorker();
  try {
    const run = await start('cancelled');
    await run.untilPending();
    await system.client.cancel({ agent: 'tester', key: 'cancelled' });
    expect(await run.end()).toMatchObject({ status: 'cancelled' });
    expect(endpoint.counts).toMatchObject({ creates: 1, cancels: 1 });
  } finally {
    await worker.kill();
  }
});

test('a run that is cancelled between two attempts cancels its response all the same', async () => {
  endpoint.state.held = true;
  const worker = await startWorker();
  try {
    const run = await start('between', 'unhurried');
    await eventually(async () =>
      expect(await run.record()).toMatchObject({
        state: 'failed',
        asking: { pending: { responseId: 'resp_1' } },
      }),
    );
    await system.client.cancel({ agent: 'unhurried', key: 'between' });
    expect(await run.end()).toMatchObject({ status: 'cancelled' });
    await eventually(() => expect(endpoint.counts.cancels).toBe(1));
    expect(endpoint.made.get('resp_1')?.status).toBe('cancelled');
  } finally {
    await worker.kill();
  }
});

test('a run that ended without its response finds it when it is resumed', async () => {
  endpoint.state.held = true;
  const worker = await startWorker();
  try {
    const run = await start('resumed');
    await run.untilPending();
    await system.temporal.workflow.getHandle(run.workflowId).terminate('by a test');
    await eventually(async () => expect((await run.record()).state).toBe('failed'));
    endpoint.state.held = false;
    await system.client.start({
      agent: 'tester',
      key: 'resumed',
      input: 'hello',
      retryFailed: true,
    });
    expect(await run.end()).toMatchObject({ status: 'completed', result: 'made' });
    expect(endpoint.counts).toMatchObject({ creates: 1, cancels: 0 });
    expect(await run.record()).toMatchObject({ unknownAttempts: 0 });
  } finally {
    await worker.kill();
  }
});

test('a response that is lost is made anew: the first was paid for, and what it cost is not known', async () => {
  endpoint.state.pollFaults = [{ status: 403 }];
  const worker = await startWorker();
  try {
    const run = await start('lost');
    expect(await run.end()).toMatchObject({ status: 'completed', result: 'made' });
    expect(endpoint.counts.creates).toBe(2);
    const record = await run.record();
    expect(record).toMatchObject({
      round: 1,
      unusableAnswers: 1,
      costUsd: null,
      errors: [{ code: 'model.response_lost' }],
    });
  } finally {
    await worker.kill();
  }
});

test('thoughts of an answer made in the background come back in the next turn', async () => {
  endpoint.state.output = (request) =>
    JSON.stringify(request['input']).includes('function_call_output')
      ? [message('two turns')]
      : [
          {
            type: 'function_call',
            id: 'fc_1',
            call_id: 'call_a',
            name: 'look',
            arguments: '{"label":"background"}',
            status: 'completed',
          },
        ];
  const worker = await startWorker();
  try {
    const run = await start('thoughts');
    expect(await run.end()).toMatchObject({ status: 'completed', result: 'two turns' });
    expect(endpoint.counts.creates).toBe(2);
    expect(JSON.stringify(endpoint.made.get('resp_2')?.request)).toContain(
      '"encrypted_content":"of resp_1"',
    );
  } finally {
    await worker.kill();
  }
});

test('a response of an endpoint that is asked no more is let go, and counted', async () => {
  endpoint.state.held = true;
  const first = await startWorker();
  const run = await start('elsewhere');
  await run.untilPending();
  await first.kill();
  const other = await startBackgroundEndpoint();
  other.reset();
  const second = await system.startWorker(other.env);
  try {
    expect(await run.end()).toMatchObject({ status: 'completed', result: 'made' });
    expect([endpoint.counts.creates, other.counts.creates]).toEqual([1, 1]);
    expect(codesOf(await run.record())).toEqual(new Set(['model.response_lost']));
  } finally {
    await second.kill();
    await other.stop();
  }
});
