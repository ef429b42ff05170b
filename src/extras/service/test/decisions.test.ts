import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  askToSpend,
  decideOnce,
  decideUntilTold,
  untilAsked,
  untilCompleted,
} from './decide-over-http.ts';
import { startHttpSuite, type HttpSuite } from './support/http-suite.ts';
import { calls, script } from '../../../../test/support/system.ts';

let suite: HttpSuite;

beforeAll(async () => {
  suite = await startHttpSuite();
  await suite.system.startWorker();
});
afterAll(() => suite.close());

const approve = { decision: 'approve' };

describe('after the end of its run', () => {
  test('a decision that counted is answered 200 when it is repeated, by whomever', async () => {
    await askToSpend(suite, 'ended');
    const first = await decideOnce(suite, 'ended', approve);
    expect(first).toMatchObject({ status: 200, body: { outcome: 'recorded', by: 'ann' } });
    await untilCompleted(suite, 'ended');
    const { decidedAt } = first.body;
    for (const more of [{}, { round: 1 }, { by: 'bob' }]) {
      expect(await decideOnce(suite, 'ended', { ...approve, ...more })).toEqual({
        status: 200,
        body: { outcome: 'repeated', decision: 'approve', by: 'ann', decidedAt },
      });
    }
    expect(suite.system.counter.requests('spend:ended')).toBe(1);
  });

  test('another decision is told which one stands, and one that nobody asked for that it is none', async () => {
    await askToSpend(suite, 'otherwise');
    await decideOnce(suite, 'otherwise', approve);
    await untilCompleted(suite, 'otherwise');
    const denied = await decideOnce(suite, 'otherwise', { decision: 'deny' });
    expect(denied).toMatchObject({ status: 409, body: { code: 'decision.conflict' } });
    expect(denied.body['detail']).toMatch(/^ann .*approve/);
    for (const decision of [{ decision: 'happened' }, { ...approve, round: 2 }]) {
      expect(await decideOnce(suite, 'otherwise', decision)).toMatchObject({
        status: 409,
        body: { code: 'decision.not_asked' },
      });
    }
  });

  test('what was said to have happened is repeated with its result, and with another is a conflict', async () => {
    suite.system.counter.drop('send:said');
    const input = script(calls(['send', { label: 'said' }]), { say: 'ok' });
    await suite.start('"said"', { input });
    await untilAsked(suite, 'said');
    const happened = { decision: 'happened', result: { id: 7 } };
    expect((await decideOnce(suite, 'said', happened)).status).toBe(200);
    await untilCompleted(suite, 'said');
    expect(await decideOnce(suite, 'said', happened)).toMatchObject({
      status: 200,
      body: { outcome: 'repeated' },
    });
    const other = { ...happened, result: { id: 8 } };
    expect((await decideOnce(suite, 'said', other)).body['code']).toBe('decision.conflict');
  });
});

test('many decisions at once are each told the truth', async () => {
  const labels = Array.from({ length: 20 }, (_, i) => `many-${i}`);
  await Promise.all(labels.map((label) => askToSpend(suite, label)));
  // Each twice, as by a client that repeats, or by two people.
  const told = await Promise.all(
    [...labels, ...labels].map((label) => decideUntilTold(suite, label, approve)),
  );
  expect(new Set(told.map(({ status }) => status))).toEqual(new Set([200]));
  await Promise.all(labels.map((label) => untilCompleted(suite, label)));
  const again = await Promise.all(labels.map((label) => decideOnce(suite, label, approve)));
  expect(new Set(again.map(({ body }) => body['outcome']))).toEqual(new Set(['repeated']));
  for (const label of labels) expect(suite.system.counter.requests(`spend:${label}`)).toBe(1);
});
