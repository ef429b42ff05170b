import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from '@temporalio/client';
import { AgentOnceClient } from '../../../src/client/agent-once-client.ts';
import { runCommand, startCli, type RunningCli } from '../../support/cli.ts';
import { startCounterServer, type CounterServer } from '../../support/counter-server.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestModel, type TestModel } from '../../support/model/test-model.ts';
import { calls, script, startTestSystem } from '../../support/system.ts';
import {
  startTimeSkippingServer,
  type TimeSkippingServer,
} from '../../support/time-skipping-server.ts';
import { untilEnd } from '../../support/until-end.ts';

const DAY_MS = 86_400_000;
/** What is left of it after the first test is longer than a timer of JavaScript's can be, too. */
const DEADLINE_DAYS = 80;
const DEADLINE = { TEST_DEADLINE_SECONDS: String((DEADLINE_DAYS * DAY_MS) / 1_000) };

const request = (label: string) => ({
  agent: 'tester',
  key: `k-${randomUUID()}`,
  input: script(calls(['spend', { label, amount: 300 }]), { say: 'done' }),
});

describe('a run that waits for weeks', () => {
  let server: TimeSkippingServer;
  let database: TestDatabase;
  let model: TestModel;
  let counter: CounterServer;
  let worker: RunningCli;
  let client: AgentOnceClient;
  let env: Record<string, string>;

  beforeAll(async () => {
    [server, database, model, counter] = await Promise.all([
      startTimeSkippingServer(),
      createTestDatabase(),
      startTestModel(),
      startCounterServer(),
    ]);
    env = {
      TEMPORAL_ADDRESS: server.address,
      LEDGER_URL: database.url,
      OPENAI_BASE_URL: model.url,
      TEST_COUNTER_URL: counter.url,
      TEST_AGENTS: 'of workers',
      AGENT_ONCE_SEARCH_ATTRIBUTES: 'off',
      AGENT_ONCE_CLEANUP: 'off',
      ...DEADLINE,
    };
    worker = startCli(['worker'], env);
    await eventually(() => expect(worker.stderr()).toMatch(/is ready/), worker.stderr);
    client = new AgentOnceClient({
      temporal: new Client({ connection: server.connection }),
      searchAttributes: false,
    });
  });
  afterAll(async () => {
    worker.child.kill('SIGKILL');
    await worker.ended;
    await Promise.all([server.stop(), model.stop(), counter.stop()]);
    await database.drop();
  });

  async function startWaiting(label: string) {
    const asked = request(label);
    await client.start(asked);
    await eventually(
      async () => expect((await client.describe(asked)).waiting).toHaveLength(1),
      worker.stderr,
    );
    return asked;
  }

  test('goes on when it is approved after five of them; its key is attached to meanwhile', async () => {
    const asked = await startWaiting('late');
    const begun = await server.now();
    await server.pass(35 * DAY_MS);
    expect((await server.now()) - begun).toBeGreaterThanOrEqual(35 * DAY_MS);
    // The time to live of a key, a day, counts from the end of its run.
    expect(await client.start(asked)).toMatchObject({ replayed: true, status: 'waiting' });
    const approved = await runCommand(
      ['approve', 'tester', asked.key, '--by', 'ann', '--yes'],
      env,
    );
    expect(approved).toMatchObject({ code: 0, stdout: expect.stringMatching(/decided by ann/) });
    expect(await untilEnd(client, asked)).toMatchObject({ status: 'completed', result: 'done' });
    expect(counter.requests('spend:late')).toBe(1);
  });

  test('is answered by its deadline then, and not before', async () => {
    const asked = await startWaiting('never');
    const [question] = (await client.describe(asked)).waiting;
    // By the ledger's clock, which has not been put forward.
    const left = Date.parse(question?.deadline ?? '') - (await server.now());
    expect(left).toBeGreaterThan(40 * DAY_MS);
    await server.pass(left - DAY_MS);
    expect(await client.describe(asked)).toMatchObject({ status: 'waiting' });
    await server.pass(2 * DAY_MS);
    expect(await untilEnd(client, asked)).toMatchObject({ status: 'completed', result: 'done' });
    expect(counter.requests('spend:never')).toBe(0);
    const ended = await runCommand(['approve', 'tester', asked.key, '--yes'], env);
    expect(ended).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/the deadline has already/),
    });
  });
});

test('the timer of a deadline of weeks is as long as that, and says what it waits for', async () => {
  const system = await startTestSystem();
  try {
    await system.startWorker(DEADLINE);
    const asked = request('timer');
    const { workflowId } = await system.client.start(asked);
    const timer = await eventually(async () => {
      const { events } = await system.temporal.workflow.getHandle(workflowId).fetchHistory();
      const found = events?.find((event) => event.timerStartedEventAttributes);
      if (!found) throw new Error('There is no timer yet.');
      return found;
    });
    const seconds = Number(timer.timerStartedEventAttributes?.startToFireTimeout?.seconds);
    expect(seconds / 86_400).toBeGreaterThan(DEADLINE_DAYS - 0.1);
    const summary = Buffer.from(timer.userMetadata?.summary?.data ?? []).toString();
    expect(summary).toContain('waits for approval, has not run: spend 300 on timer');
    expect(await system.client.describe(asked)).toMatchObject({ status: 'waiting' });
  } finally {
    await system.close();
  }
});
