import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { askToSpend, decideOnce, decideUntilTold, untilCompleted } from '../decide-over-http.ts';
import { startHttpSuite, type HttpSuite } from '../support/http-suite.ts';
import type { TestWorker } from '../../../../../test/support/system.ts';

let suite: HttpSuite;
let worker: TestWorker;

beforeAll(async () => {
  suite = await startHttpSuite();
  worker = await suite.system.startWorker();
});
afterAll(() => suite.close());

const approve = { decision: 'approve' };

test('each of 300 approvals at once is told that it counted, now and whenever it is repeated', async () => {
  const labels = Array.from({ length: 300 }, (_, i) => `crowd-${i}`);
  await Promise.all(labels.map((label) => askToSpend(suite, label)));
  const told = await Promise.all(labels.map((label) => decideUntilTold(suite, label, approve)));
  expect(new Set(told.map(({ status }) => status))).toEqual(new Set([200]));
  await Promise.all(labels.map((label) => untilCompleted(suite, label)));
  const again = await Promise.all(labels.map((label) => decideOnce(suite, label, approve)));
  expect(again.map(({ status, body }) => [status, body['outcome']])).toEqual(
    labels.map(() => [200, 'repeated']),
  );
  for (const label of labels) expect(suite.system.counter.requests(`spend:${label}`)).toBe(1);
});

test('a decision that was recorded, and whose answer no worker gives, is answered 200', async () => {
  await askToSpend(suite, 'lost');
  await worker.kill();
  const scope = await suite.system.scopeOf('agent-tester-lost');
  // As by a worker that died before it could say so.
  await suite.system.ledger.decide(scope, {
    step: 't1.c0',
    round: 1,
    decision: 'approve',
    by: 'ann',
  });
  expect(await decideOnce(suite, 'lost', approve)).toMatchObject({
    status: 200,
    body: { outcome: 'repeated', by: 'ann' },
  });
  expect(await decideOnce(suite, 'lost', { decision: 'deny' })).toMatchObject({
    status: 409,
    body: { code: 'decision.conflict' },
  });
  worker = await suite.system.startWorker();
  await untilCompleted(suite, 'lost');
});

test('a decision that nobody has recorded is not said to count', async () => {
  await askToSpend(suite, 'unheard');
  await worker.kill();
  expect(await decideOnce(suite, 'unheard', approve)).toMatchObject({
    status: 409,
    body: { code: 'run.still_running' },
  });
  worker = await suite.system.startWorker();
  expect((await decideUntilTold(suite, 'unheard', approve)).status).toBe(200);
  await untilCompleted(suite, 'unheard');
});
