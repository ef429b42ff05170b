import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runCommand } from '../../../../../test/support/cli.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../../test/support/system.ts';
import { untilEnd } from '../../../../../test/support/until-end.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(() => system.close());

const cli = (...args: string[]) => runCommand(args, { ...system.env, TEST_AGENTS: 'of workers' });

test('a decision that was recorded, and whose answer no worker gives, has been made', async () => {
  const ref = { agent: 'tester', key: `k-${randomUUID()}` };
  const input = script(calls(['spend', { label: 'lost', amount: 100 }]), { say: 'ok' });
  const worker = await system.startWorker();
  await system.client.start({ ...ref, input });
  await eventually(async () => {
    expect(await system.client.describe(ref)).toMatchObject({ status: 'waiting' });
  });
  await worker.kill();
  const scope = await system.scopeOf(`agent-tester-${ref.key}`);
  await system.ledger.decide(scope, { step: 't1.c0', round: 1, decision: 'approve', by: 'ann' });
  const approved = await cli('approve', 'tester', ref.key, '--by', 'bob', '--yes');
  expect(approved).toMatchObject({ code: 0, stdout: expect.stringMatching(/^repeated .* ann /) });
  const denied = await cli('deny', 'tester', ref.key, '--by', 'bob', '--yes');
  expect(denied).toMatchObject({ code: 3, stderr: expect.stringContaining('ann has already') });
});

test('an attempt fell silent, and no worker is left: the run still says what it asks, and whose process it was', async () => {
  const ref = { agent: 'tester', key: `k-${randomUUID()}` };
  const input = script(calls(['send', { label: 'silent' }]), { say: 'ok' });
  const killed = await system.startWorker({ AGENT_ONCE_FAULT: 'after-effect:send' });
  await system.client.start({ ...ref, input });
  expect(await killed.untilEnded()).toBe('SIGKILL');
  const asking = await system.startWorker();
  await eventually(async () => {
    expect(await system.client.describe(ref)).toMatchObject({ status: 'waiting' });
  });
  await asking.kill();

  const waited = await cli('result', 'tester', ref.key, '--wait=60');
  expect(waited).toMatchObject({ code: 8, stdout: '' });
  expect(waited.stderr).toContain(`agent-once resolve tester ${ref.key} t1.c0 --happened`);

  const didNot = ['resolve', 'tester', ref.key, '--did-not-happen', '--by', 'ann'];
  const refused = await cli(...didNot);
  expect(refused.code).toBe(2);
  const process = `process ${killed.pid} on ${hostname()}`;
  expect(refused.stderr).toMatch(new RegExp(`Begun by ${process} at .*; then it fell silent`));
  expect(refused.stderr).toContain(`No process ${killed.pid} runs on this machine now`);
  expect(refused.stderr).toMatch(new RegExp(`Make sure that ${process} is dead.*--yes`));

  await system.startWorker();
  expect(await cli(...didNot, '--yes')).toMatchObject({ code: 0 });
  expect(await untilEnd(system.client, ref)).toMatchObject({
    status: 'completed',
    result: 'ok',
  });
  expect(system.counter.requests('send:silent')).toBe(2);
});
