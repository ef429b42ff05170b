import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startCli, type RunningCli } from '../../../../../test/support/cli.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import { startRedis, type RedisServer } from '../../../../../test/support/redis-server.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../../test/support/system.ts';
import { untilEnd } from '../../../../../test/support/until-end.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

let redis: RedisServer;
let system: TestSystem;
let receiver: WebhookReceiver;
let secret: string;
const workers: RunningCli[] = [];

beforeAll(async () => {
  redis = await startRedis();
  system = await startTestSystem(undefined, redis.url);
  secret = `whsec_${randomBytes(32).toString('base64')}`;
  receiver = await startWebhookReceiver(secret);
});
afterAll(async () => {
  for (const { child } of workers) child.kill('SIGKILL');
  await Promise.all(workers.map(({ ended }) => ended));
  await receiver?.stop();
  await system?.close();
  await redis?.stop();
});

async function startWorker(): Promise<RunningCli> {
  const worker = startCli(['worker'], {
    ...system.env,
    TEST_AGENTS: 'of workers',
    TEST_WITHOUT_EFFECTS: 'transactional',
    AGENT_ONCE_REDIS_DURABLE: 'on',
    AGENT_ONCE_NOTIFY_EVERY: '1s',
    AGENT_ONCE_PUBLIC_URL: 'https://agents.example',
    AGENT_ONCE_NOTIFY_WEBHOOK_URL: receiver.url,
    AGENT_ONCE_NOTIFY_WEBHOOK_SECRET: secret,
  });
  workers.push(worker);
  await eventually(() => expect(worker.stderr()).toMatch(/is ready/), worker.stderr);
  return worker;
}

async function startAsking(label: string) {
  const ref = { agent: 'tester', key: `k-${randomUUID()}` };
  const input = script(calls(['spend', { label, amount: 300 }]), { say: 'done' });
  const { workflowId } = await system.client.start({ ...ref, input });
  return { ref, workflowId };
}

async function rows(workflowId: string) {
  const steps = await system.ledger.steps(await system.scopeOf(workflowId));
  return steps.filter(({ name }) => name.startsWith('notify.'));
}

test('on a ledger in Redis a notice is told once, and under the same ID after a crash', async () => {
  const first = await startWorker();
  const plain = await startAsking('plain');
  await eventually(
    () =>
      expect(receiver.about(plain.workflowId)).toMatchObject([
        { verified: true, status: 204, body: { type: 'run.waiting', data: { step: 't1.c0' } } },
      ]),
    first.stderr,
  );
  await eventually(async () =>
    expect(await rows(plain.workflowId)).toMatchObject([{ state: 'completed', attempts: 1 }]),
  );

  const lost = await startAsking('lost');
  receiver.answer(({ body }) => {
    if (body.data['runId'] === lost.workflowId) first.child.kill('SIGKILL');
    return first.ended.then(() => 204);
  });
  await eventually(() => expect(receiver.about(lost.workflowId)).toHaveLength(1), first.stderr);
  await first.ended;
  receiver.answer(() => 204);
  const second = await startWorker();
  await eventually(
    async () =>
      expect(await rows(lost.workflowId)).toMatchObject([{ state: 'completed', attempts: 2 }]),
    second.stderr,
  );
  const told = receiver.about(lost.workflowId);
  expect([told.length, new Set(told.map(({ id }) => id)).size]).toEqual([2, 1]);
  // The second worker has looked at both by then.
  expect(receiver.about(plain.workflowId)).toHaveLength(1);

  await system.client.decide(lost.ref, { step: 't1.c0', decision: 'approve', by: 'ann' });
  expect(await untilEnd(system.client, lost.ref)).toMatchObject({ status: 'completed' });
});
