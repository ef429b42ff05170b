import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createPostgresLedger } from '../../src/ledger/postgres/postgres-ledger.ts';
import type { Claim, Ledger, LeftStep, StepClaim, WorkerLeases } from '../../src/ledger/port.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { again, claimed, granted, leasesOver, stepClaim } from './steps.ts';

let database: TestDatabase;
let ledger: Ledger;
let leases: WorkerLeases;
/** Of the worker whose claims others may take. */
let mine: string;

beforeAll(async () => {
  database = await createTestDatabase();
  ledger = await createPostgresLedger(database.url);
  if (!ledger.leases) throw new Error('It has leases.');
  leases = ledger.leases;
});
afterAll(async () => {
  await ledger.close();
  await database.drop();
});
beforeEach(async () => {
  mine = randomUUID();
  await leases.renew(mine);
});

const held = (change: Partial<StepClaim> = {}, holdMs = 60_000) =>
  stepClaim({ lease: { id: mine, holdMs }, ...change });
const losses = async (holdsMs?: number) => (await leases.renew(mine, holdsMs)).losses;
const lapse = async () => {
  await leases.renew(mine, 1);
  await leasesOver(ledger);
};

test('a claim holds for as long as its worker renews its lease', async () => {
  const step = held();
  const claim = await claimed(ledger, step);
  const answer = await ledger.claim(again(step));
  expect(answer).toMatchObject({ state: 'busy', worker: 'worker-1' });
  // Its own limit is a minute away; the lease may be over sooner.
  expect((answer as { retryAfterMs: number }).retryAfterMs).toBeLessThanOrEqual(5_000);
  expect(await ledger.renew(claim)).toBe(true);
  expect(await leases.lost(mine, [claim])).toEqual([]);
});

test('a lease that is over makes its steps takeable one by one, and its worker finds out which', async () => {
  const [first, second] = [held(), held()];
  const claims = [await claimed(ledger, first), await claimed(ledger, second)];
  const before = await losses();
  await lapse();
  const taken = granted(await ledger.claim(again(first)));
  expect(taken).toMatchObject({ attempts: 2, unknownAttempts: 1, claim: { fence: '2' } });
  expect(await losses()).not.toBe(before);
  expect(await leases.lost(mine, claims)).toEqual([claims[0]]);
  // The other one was not touched, and holds again.
  expect(await ledger.claim(again(second))).toMatchObject({ state: 'busy' });
  expect(await ledger.complete(claims[1] as Claim, { result: 'ok' })).toBe('recorded');
  expect(await ledger.complete(claims[0] as Claim, { result: 'late' })).toBe('lost');
});

test('a late renewal loses nothing that nobody has taken', async () => {
  const step = held();
  const claim = await claimed(ledger, step);
  await lapse();
  const before = await losses();
  expect(await ledger.claim(again(step))).toMatchObject({ state: 'busy' });
  expect(await losses()).toBe(before);
  expect(await leases.lost(mine, [claim])).toEqual([]);
});

test('what was done under a lease that is over counts until somebody takes the step', async () => {
  const step = held();
  const claim = await claimed(ledger, step);
  await lapse();
  expect(await ledger.complete(claim, { result: 'ok' })).toBe('recorded');
  expect(await leases.lost(mine, [claim])).toEqual([]);
});

test('right before an effect, a lease that ends soon is renewed first; one whose claim was taken is not', async () => {
  const [kept, lost] = [held(), held()];
  const claims = { kept: await claimed(ledger, kept), lost: await claimed(ledger, lost) };
  await lapse();
  await ledger.claim(again(lost));
  expect(await ledger.renew(claims.lost)).toBe(false);
  expect(await ledger.renew(claims.kept)).toBe(true);
  expect(await ledger.claim(again(kept))).toMatchObject({ state: 'busy' });
});

test('an at-most-once step of a lease that is over is in outcome unknown', async () => {
  const step = held({ effect: 'at-most-once' });
  await claimed(ledger, step);
  await lapse();
  expect(await ledger.claim(again(step))).toMatchObject({
    state: 'unknown',
    attempt: { fence: '1' },
  });
});

test('a claim that has had its time is over, though its worker lives', async () => {
  const step = held({}, 1);
  await claimed(ledger, step);
  await leasesOver(ledger);
  expect(granted(await ledger.claim(again(step))).claim.fence).toBe('2');
});

test('a lease that a worker ends holds nothing any more', async () => {
  const step = held();
  await claimed(ledger, step);
  await leases.end(mine);
  expect(granted(await ledger.claim(again(step))).claim.fence).toBe('2');
});

test('what a worker leaves behind is told once, by the names that Temporal knows', async () => {
  const [claim, ended, kept] = [held(), held(), held({ workflowId: 'wf-kept' })];
  const [left, done] = [
    { ...claim, workflowId: 'wf-left', runId: randomUUID(), activityId: '7' },
    { ...ended, workflowId: 'wf-done', runId: randomUUID(), activityId: '8' },
  ];
  await claimed(ledger, left);
  await ledger.complete(await claimed(ledger, done), { result: 'ok' });
  // Of nobody's lease, and without an activity.
  await claimed(ledger, { ...kept, lease: undefined, activityId: '9' });
  const own = (steps: LeftStep[]) =>
    steps
      .filter(({ runId }) => runId === left.runId || runId === done.runId)
      .map(({ workflowId, activityId }) => `${workflowId} ${activityId}`)
      .toSorted();
  expect(own(await leases.left())).toEqual([]);
  await lapse();
  // Whoever renews hears of it.
  const other = randomUUID();
  expect(await leases.renew(other)).toMatchObject({ over: true });
  const told = await Promise.all([leases.left(), leases.left(), leases.left()]);
  // What was recorded last may be unknown to Temporal.
  expect(own(told.flat())).toEqual(['wf-done 8', 'wf-left 7']);
  expect(await leases.renew(other)).toMatchObject({ over: false });
  expect(own(await leases.left())).toEqual([]);
});

test('a worker that renews again after it was missed is missed anew', async () => {
  const step = held({ runId: randomUUID(), activityId: '7' });
  await claimed(ledger, step);
  const seen = async () => (await leases.left()).some(({ runId }) => runId === step.runId);
  await lapse();
  expect(await seen()).toBe(true);
  await leases.renew(mine);
  await lapse();
  expect(await seen()).toBe(true);
});

test('a cancellation is told to the workers that have a claim of the execution, and no others', async () => {
  const other = randomUUID();
  await leases.renew(other);
  const [here, there] = [held({ runId: randomUUID() }), held({ runId: randomUUID() })];
  await claimed(ledger, here);
  await claimed(ledger, { ...there, lease: { id: other, holdMs: 60_000 } });
  await leases.cancel(here.scope, randomUUID());
  expect((await leases.renew(mine)).cancelled).toEqual([]);
  await leases.cancel(here.scope, here.runId);
  await leases.cancel(here.scope, here.runId);
  expect((await leases.renew(mine)).cancelled).toEqual([here.runId]);
  expect((await leases.renew(other)).cancelled).toEqual([]);
  // The last hundred are kept.
  for (let more = 0; more < 100; more += 1) {
    const next = held({ runId: `run-${more}` });
    await claimed(ledger, next);
    await leases.cancel(next.scope, next.runId);
  }
  const { cancelled } = await leases.renew(mine);
  expect([cancelled.length, cancelled[0], cancelled.at(-1)]).toEqual([100, 'run-0', 'run-99']);
});

test('a step that is claimed without a lease holds as ever', async () => {
  const step = stepClaim({ leaseMs: 1 });
  await claimed(ledger, step);
  await leasesOver(ledger);
  const taken = granted(await ledger.claim(again(step, { lease: { id: mine, holdMs: 60_000 } })));
  expect(taken.claim).toMatchObject({ fence: '2', lease: mine });
  expect(await ledger.claim(again(step))).toMatchObject({ state: 'busy' });
});

test('claims and late renewals that meet: whoever is granted a step is the one that its worker misses', async () => {
  for (let round = 0; round < 30; round += 1) {
    mine = randomUUID();
    await leases.renew(mine);
    const steps = Array.from({ length: 8 }, () => held());
    const claims = await Promise.all(steps.map((step) => claimed(ledger, step)));
    const before = await losses(1);
    const tries = steps.flatMap((step) => [again(step), again(step)]);
    const answers = await Promise.all([
      ...tries.map((step) => ledger.claim(step)),
      leases.renew(mine).then(() => undefined),
    ]);
    const takenSteps = tries
      .filter((_step, index) => answers[index]?.state === 'claimed')
      .map(({ scope }) => scope);
    expect(new Set(takenSteps).size).toBe(takenSteps.length);
    const missing = (await leases.lost(mine, claims)).map(({ scope }) => scope);
    expect(new Set(missing)).toEqual(new Set(takenSteps));
    expect((await losses()) === before).toBe(takenSteps.length === 0);
  }
});
