import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startCli, runCommand, type RunningCli } from '../../../../../test/support/cli.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../../test/support/system.ts';
import { untilEnd } from '../../../../../test/support/until-end.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

const makeSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

let system: TestSystem;
let receiver: WebhookReceiver;
let secret: string;
let workers: RunningCli[] = [];

beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(() => system.close());
beforeEach(async () => {
  secret = makeSecret();
  receiver = await startWebhookReceiver(secret);
});
afterEach(async () => {
  for (const { child } of workers) child.kill('SIGKILL');
  await Promise.all(workers.map(({ ended }) => ended));
  workers = [];
  await receiver.stop();
});

/** What a worker that tells needs besides. */
const settings = (): Record<string, string> => ({
  TEST_AGENTS: 'of workers',
  AGENT_ONCE_NOTIFY_EVERY: '1s',
  AGENT_ONCE_PUBLIC_URL: 'https://agents.example/',
  AGENT_ONCE_NOTIFY_WEBHOOK_URL: receiver.url,
  AGENT_ONCE_NOTIFY_WEBHOOK_SECRET: secret,
});

/** `agent-once worker`, as operators run it. */
async function startWorker(more: Record<string, string> = {}): Promise<RunningCli> {
  const worker = startCli(['worker'], { ...system.env, ...settings(), ...more });
  workers.push(worker);
  await eventually(() => expect(worker.stderr()).toMatch(/is ready/), worker.stderr);
  return worker;
}

async function start(...answers: Parameters<typeof script>) {
  const ref = { agent: 'tester', key: `k-${randomUUID()}` };
  const { workflowId, runId } = await system.client.start({ ...ref, input: script(...answers) });
  return { ref, workflowId, runId };
}

/** A run that asks for approval, or will. */
const startAsking = (label = 'x') =>
  start(calls(['spend', { label, amount: 300 }]), { say: 'done' });
/** A run that fails. */
const startFailing = () => start(calls(['flaky', { failures: 99 }]), { say: 'done' });

async function untilTold(workflowId: string, times = 1) {
  return eventually(
    () => {
      const about = receiver.about(workflowId);
      const taken = about.filter(({ status }) => status === 204);
      if (taken.length < times) throw new Error(`told ${taken.length} times of ${about.length}`);
      return about;
    },
    () => workers.map((worker) => worker.stderr()).join('\n'),
  );
}

/**
 * Waits until everything that was there has been looked at: another run is told of that waited, or
 * failed, later.
 */
async function untilLookedAt(startAnother: typeof startAsking | typeof startFailing) {
  const { workflowId, ref } = await startAnother();
  await untilTold(workflowId);
  if (startAnother === startAsking) await system.client.cancel(ref);
}

async function rows(workflowId: string) {
  const steps = await system.ledger.steps(await system.scopeOf(workflowId));
  return steps.filter(({ name }) => name.startsWith('notify.'));
}

describe('a run that waits for approval', () => {
  test('is told once by two workers, signed, with a link to its question, and goes on', async () => {
    await Promise.all([startWorker(), startWorker()]);
    const { ref, workflowId } = await startAsking('two');
    const [told] = await untilTold(workflowId);
    expect(told).toMatchObject({
      verified: true,
      id: expect.stringMatching(/^msg_[0-9a-f]{40}$/),
      body: {
        type: 'run.waiting',
        data: {
          agent: 'tester',
          tenant: 'default',
          key: ref.key,
          runId: workflowId,
          step: 't1.c0',
          kind: 'approval',
          tool: 'spend',
          summary: 'spend 300 on two',
          otherwise: 'deny',
          url: `https://agents.example/app/runs/${workflowId}#t1.c0`,
        },
      },
    });
    await untilLookedAt(startAsking);
    expect(receiver.about(workflowId)).toHaveLength(1);
    // A command shows the same link.
    const env = { ...system.env, ...settings() };
    const shown = await runCommand(['status', 'tester', ref.key], env);
    expect(shown.stdout).toContain(`  ui        ${String(told?.body.data['url'])}\n`);
    await system.client.decide(ref, { step: 't1.c0', decision: 'approve', by: 'ann' });
    expect(await untilEnd(system.client, ref)).toMatchObject({ status: 'completed' });
    // What was sent is in the run's scope, and no step of the run.
    expect(await rows(workflowId)).toMatchObject([{ state: 'completed', attempts: 1 }]);
    const explained = await runCommand(['explain', 'tester', ref.key, '--json'], env);
    const { steps } = JSON.parse(explained.stdout) as { steps: { id: string }[] };
    expect(steps.map(({ id }) => id)).toEqual(['t1.model', 't1.c0', 't2.model']);
  });

  test('has waited before the extra was there, and is told all the same', async () => {
    const plain = await startWorker({ AGENT_ONCE_NOTIFY_WEBHOOK_URL: '' });
    const { ref, workflowId } = await startAsking('before');
    await eventually(async () =>
      expect((await system.client.describe(ref)).status).toBe('waiting'),
    );
    plain.child.kill('SIGTERM');
    expect(await plain.ended).toMatchObject({ code: 0 });
    expect(await rows(workflowId)).toEqual([]);
    await startWorker();
    await untilTold(workflowId);
    await system.client.cancel(ref);
  });

  test('is not told again after a reset, though it asks again', async () => {
    await startWorker();
    const { ref, workflowId, runId } = await startAsking('reset');
    const [told] = await untilTold(workflowId);
    const reset = await system.temporal.workflowService.resetWorkflowExecution({
      namespace: system.temporal.options.namespace,
      workflowExecution: { workflowId, runId },
      reason: 'a test',
      requestId: randomUUID(),
      workflowTaskFinishEventId: 4 as never,
    });
    await eventually(async () => {
      const waiting: string[] = [];
      for await (const run of system.client.list({ status: 'waiting' })) waiting.push(run.runId);
      expect(waiting).toContain(reset.runId);
    });
    await untilLookedAt(startAsking);
    expect(receiver.about(workflowId).map(({ id }) => id)).toEqual([told?.id]);
    await system.client.cancel(ref);
  });

  test('is told under the same ID by the next worker where one died after it had sent', async () => {
    const first = await startWorker();
    const { ref, workflowId } = await startAsking('killed');
    receiver.answer(({ body }) => {
      if (body.data['runId'] === workflowId) first.child.kill('SIGKILL');
      return first.ended.then(() => 204);
    });
    await untilTold(workflowId);
    expect((await rows(workflowId))[0]).toMatchObject({ state: 'claimed', attempts: 1 });
    receiver.answer(() => 204);
    await startWorker();
    const told = await untilTold(workflowId, 2);
    expect(new Set(told.map(({ id }) => id)).size).toBe(1);
    await eventually(async () =>
      expect((await rows(workflowId))[0]).toMatchObject({ state: 'completed', attempts: 2 }),
    );
    await untilLookedAt(startAsking);
    expect(receiver.about(workflowId)).toHaveLength(2);
    await system.client.cancel(ref);
  });
});

describe('a receiver that is down', () => {
  test('delays no run, and gets the same notice when it is back', async () => {
    receiver.answer(() => 503);
    const worker = await startWorker();
    const failing = await startFailing();
    const asking = await startAsking('down');
    await eventually(() => expect(receiver.about(asking.workflowId)).not.toEqual([]));
    await system.client.decide(asking.ref, { step: 't1.c0', decision: 'approve', by: 'ann' });
    expect(await untilEnd(system.client, asking.ref)).toMatchObject({ status: 'completed' });
    await eventually(() => expect(receiver.about(failing.workflowId).length).toBeGreaterThan(1));
    expect(worker.stderr()).toMatch(/webhook did not take msg_\w+ .*It answered 503/);
    receiver.answer(() => 204);
    const told = await untilTold(failing.workflowId);
    expect(new Set(told.map(({ id }) => id)).size).toBe(1);
    expect(told.filter(({ status }) => status === 204)).toHaveLength(1);
    // What it was to be told of the other run is answered by now.
    await untilLookedAt(startAsking);
    expect(receiver.about(asking.workflowId).every(({ status }) => status === 503)).toBe(true);
    expect((await rows(failing.workflowId))[0]?.errors[0]).toEqual({
      code: 'notice.not_taken',
      message: 'It answered 503.',
    });
  });
});

describe('a run that has failed', () => {
  test('is told, and told anew under another ID when it was resumed and failed again', async () => {
    await startWorker();
    const { ref, workflowId } = await startFailing();
    const [first] = await untilTold(workflowId);
    expect(first).toMatchObject({
      verified: true,
      body: {
        type: 'run.failed',
        data: {
          key: ref.key,
          runId: workflowId,
          error: { code: 'tool.failed', message: expect.stringMatching(/failure/) },
          url: `https://agents.example/app/runs/${workflowId}`,
        },
      },
    });
    await system.client.resume(ref);
    const told = await untilTold(workflowId, 2);
    expect(new Set(told.map(({ id }) => id)).size).toBe(2);
  });

  test('and was forgotten before anybody took it is told no more', async () => {
    receiver.answer(() => 503);
    await startWorker();
    const { ref, workflowId } = await startFailing();
    await eventually(() => expect(receiver.about(workflowId)).not.toEqual([]));
    await system.client.forget(ref);
    receiver.answer(() => 204);
    await untilLookedAt(startFailing);
    // Longer than the wait after a first refusal: its turn has come, and it was not sent.
    await untilLookedAt(startFailing);
    expect(receiver.about(workflowId).filter(({ status }) => status === 204)).toEqual([]);
  });
});

test('a secret is exchanged without a gap: each of two signs', async () => {
  const next = makeSecret();
  await startWorker({ AGENT_ONCE_NOTIFY_WEBHOOK_SECRET: `${next} ${secret}` });
  const { ref, workflowId } = await startAsking('rotation');
  expect(await untilTold(workflowId)).toMatchObject([{ verified: true }]);
  await system.client.cancel(ref);
});

test.each([
  [{ AGENT_ONCE_NOTIFY_WEBHOOK_SECRET: '' }, /WEBHOOK_SECRET is missing beside/],
  [{ AGENT_ONCE_NOTIFY_WEBHOOK_SECRET: 'whsec_short' }, /WEBHOOK_SECRET has one that is no whsec_/],
  [{ AGENT_ONCE_NOTIFY_WEBHOOK_URL: 'ftp://x' }, /WEBHOOK_URL is no http or https URL/],
  [{ AGENT_ONCE_NOTIFY_SMTP_URL: 'smtp://x' }, /MAIL_FROM is missing beside/],
  [{ AGENT_ONCE_NOTIFY_EVERY: 'off' }, /EVERY cannot be off/],
])('settings that cannot work end the worker: %j', async (more, why) => {
  const worker = await runCommand(['worker'], { ...system.env, ...settings(), ...more });
  expect(worker).toMatchObject({ code: 2, stderr: expect.stringMatching(why) });
});

test.each([
  ['no namespace', { TEMPORAL_NAMESPACE: 'absent' }, /namespace.*absent|absent.*namespace/i],
  ['no prices', { MODEL_PRICES_FILE: '/nowhere/prices.json' }, /prices/],
])('a worker that cannot start says why, and ends: %s', async (_what, more, why) => {
  const worker = await runCommand(['worker'], { ...system.env, ...settings(), ...more });
  expect(worker.code).not.toBe(0);
  expect(worker.stderr).toMatch(why);
  expect(receiver.received).toEqual([]);
});
