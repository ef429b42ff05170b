import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isUnknownUpdate } from '../../src/client/decide.ts';
import { APPROVE_EDITED_UPDATE } from '../../src/contract/names.ts';
import { eventually } from '../support/eventually.ts';
import { calls, startTestSystem, type TestSystem } from '../support/system.ts';
import { resetToBegin } from '../support/reset.ts';
import { editing, type EditedRun } from './edited-calls.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
  await system.startWorker();
});
afterAll(async () => {
  await system.close();
});

const { started, untilAsked, decide, endOf, asked, toldOf } = editing(() => system);
const ok = { say: 'ok' };
const paying = (label: string) => started(calls(['pay', { label, amount: 300 }]), ok);
const invalid = {
  code: 'decision.invalid',
  message: expect.stringContaining('Nothing was decided'),
};

describe('a call that is approved with other arguments', () => {
  test('is made once with those, and all who ask are told of both', async () => {
    const run = await paying('both');
    const { waiting } = await untilAsked(run, 't1.c0');
    expect(waiting).toMatchObject([{ summary: '300 EUR to both', editable: true }]);
    const changed = { label: 'both', amount: 200 };
    const summary = '200 EUR to both (changed by a person; the model asked for: 300 EUR to both)';
    expect(await decide(run, { arguments: changed })).toMatchObject({
      outcome: 'recorded',
      by: 'ann',
      approved: JSON.stringify(changed),
      summary,
    });
    expect(await endOf(run)).toMatchObject({ status: 'completed', result: 'ok' });
    expect(asked('pay', 'both', 300, 200)).toEqual([0, 1]);
    expect(await system.ledger.step(run.scope, 't1.c0')).toMatchObject({
      request: changed,
      askedRequest: { label: 'both', amount: 300 },
      attempts: 1,
    });
    expect(await toldOf(run, 2, 'call_1_0')).toEqual({
      note: expect.stringContaining('A person changed the arguments'),
      arguments: changed,
      result: { name: 'pay:both:200', requests: 1 },
    });
    const { events } = await system.temporal.workflow.getHandle(run.workflowId).fetchHistory();
    expect(JSON.stringify(events?.map(({ userMetadata }) => summaryIn(userMetadata)))).toContain(
      `turn 1 · approved: ${summary}`,
    );
  });

  test('twice is approved once; with others, or as it was, it is a conflict that says what stands', async () => {
    const run = await paying('twice');
    await untilAsked(run, 't1.c0');
    const answer = { arguments: { label: 'twice', amount: 200 } };
    const [first, second] = await Promise.all([decide(run, answer), decide(run, answer)]);
    expect([first.outcome, second.outcome].sort()).toEqual(['recorded', 'repeated']);
    for (const other of [{ arguments: { label: 'twice', amount: 100 } }, {}]) {
      await expect(decide(run, { round: 1, ...other, by: 'bob' })).rejects.toMatchObject({
        code: expect.stringMatching(/^decision\.(conflict|not_asked)$/),
      });
    }
    await endOf(run);
    expect(asked('pay', 'twice', 300, 200, 100)).toEqual([0, 1, 0]);
  });

  test('by two people at once counts once: the other is told what was approved', async () => {
    const run = await paying('people');
    await untilAsked(run, 't1.c0');
    const amounts = [100, 200];
    const told = await Promise.allSettled(
      amounts.map((amount) =>
        decide(run, { by: `person-${amount}`, arguments: { label: 'people', amount } }),
      ),
    );
    const first = told.findIndex(({ status }) => status === 'fulfilled');
    const other = told[1 - first] as PromiseRejectedResult;
    expect(other.reason).toMatchObject({
      code: 'decision.conflict',
      message: expect.stringMatching(
        new RegExp(`^person-${amounts[first]} .*"amount":${amounts[first]}.*not recorded`),
      ),
    });
    await endOf(run);
    expect(asked('pay', 'people', 300, ...amounts)).toEqual([0, first === 0 ? 1 : 0, first]);
  });

  test('that are equal is approved as it is', async () => {
    const run = await paying('equal');
    await untilAsked(run, 't1.c0');
    const equal = { arguments: { amount: 300, label: 'equal' } };
    const result = await decide(run, equal);
    expect(result).toMatchObject({ outcome: 'recorded' });
    expect(result).not.toHaveProperty('approved');
    await endOf(run);
    expect(asked('pay', 'equal', 300)).toEqual([1]);
    expect(await toldOf(run, 2, 'call_1_0')).toEqual({ name: 'pay:equal:300', requests: 1 });
  });

  test.each([
    ['lack a member', { label: 'refused' }, /amount/],
    ['are out of range', { label: 'refused', amount: -1 }, /amount/],
    ['are no object', 'refused', /schema/],
    ['have a null character', { label: 'a\0b', amount: 1 }, /null character/],
    ['are too large', { label: 'x'.repeat(1_100_000), amount: 1 }, /1 MiB/],
  ])('is refused where they %s, and waits on', async (_which, args, why) => {
    const run = await paying('refused');
    await untilAsked(run, 't1.c0');
    await expect(decide(run, { arguments: args })).rejects.toMatchObject(invalid);
    await expect(decide(run, { arguments: args })).rejects.toThrow(why);
    expect((await untilAsked(run, 't1.c0')).status).toBe('waiting');
    expect(await system.ledger.step(run.scope, 't1.c0')).toMatchObject({ askedDigest: null });
    await system.client.cancel(run);
  });

  test('is refused where the tool does not allow it', async () => {
    const run = await started(calls(['spend', { label: 'fixed', amount: 300 }]), ok);
    const { waiting } = await untilAsked(run, 't1.c0');
    expect(waiting[0]).not.toHaveProperty('editable');
    const answer = { arguments: { label: 'fixed', amount: 200 } };
    await expect(decide(run, answer)).rejects.toMatchObject(invalid);
    await decide(run, {});
    await endOf(run);
    expect(asked('spend', 'fixed', 300)).toEqual([0]);
    expect(system.counter.requests('spend:fixed')).toBe(1);
  });

  test('is refused of any other answer', async () => {
    const args = { label: 'other', amount: 200 };
    const run = await paying('other');
    await untilAsked(run, 't1.c0');
    await expect(decide(run, { decision: 'deny', arguments: args })).rejects.toMatchObject(invalid);
    await decide(run, { decision: 'deny' });
    await endOf(run);
    expect(asked('pay', 'other', 300, 200)).toEqual([0, 0]);
  });

  test('at most once, whose outcome is asked, keeps them: it runs again with those, or is refused others', async () => {
    const args = { label: 'lost', amount: 200 };
    const run = await started(calls(['wire', { label: 'lost', amount: 300 }]), ok);
    await untilAsked(run, 't1.c0');
    system.counter.drop('wire:lost:200');
    await decide(run, { arguments: args });
    const { waiting } = await untilOutcomeAsked(run);
    expect(waiting[0]?.summary).toContain('200 EUR to lost (changed by a person');
    for (const decision of ['happened', 'did-not-happen'] as const) {
      await expect(decide(run, { decision, arguments: args })).rejects.toMatchObject(invalid);
    }
    await expect(decide(run, { arguments: { ...args, amount: 1 } })).rejects.toMatchObject({
      code: 'decision.invalid',
    });
    await decide(run, { decision: 'did-not-happen' });
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
    expect(asked('wire', 'lost', 300, 200, 1)).toEqual([0, 2, 0]);
  });

  test('in a transaction writes those', async () => {
    const run = await started(calls(['enter', { label: 'row', amount: 300 }]), ok);
    await untilAsked(run, 't1.c0');
    await decide(run, { arguments: { label: 'row', amount: 200 } });
    await endOf(run);
    const { rows } = await system.sql.query(
      "SELECT label, token FROM notes WHERE label LIKE 'row%'",
    );
    expect(rows).toEqual([{ label: 'row:200', token: `${run.scope}:t1.c0` }]);
  });

  test('that fails is resumed with those, without being asked about again', async () => {
    const run = await paying('resumed');
    await untilAsked(run, 't1.c0');
    system.counter.fail('pay:resumed:200');
    await decide(run, { arguments: { label: 'resumed', amount: 200 } });
    expect(await endOf(run)).toMatchObject({ status: 'failed', error: { code: 'tool.failed' } });
    system.counter.heal('pay:resumed:200');
    await system.client.resume(run);
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
    expect(asked('pay', 'resumed', 300)).toEqual([0]);
    expect(system.counter.effects('pay:resumed:200')).toBe(1);
  });

  test('in a run that is reset while it asks, or after its end, is made once', async () => {
    const run = await paying('reset');
    await untilAsked(run, 't1.c0');
    await resetToBegin(system, run.workflowId);
    await untilAsked(run, 't1.c0');
    await decide(run, { arguments: { label: 'reset', amount: 200 } });
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
    const runId = await resetToBegin(system, run.workflowId);
    expect(await endOf(run)).toMatchObject({ status: 'completed', runId, result: 'ok' });
    expect(asked('pay', 'reset', 300, 200)).toEqual([0, 1]);
  });
});

describe('what is the same call', () => {
  test('of two in a turn, both get the answer of the one that was changed', async () => {
    const same = ['pay', { label: 'same', amount: 300 }] as [
      string,
      { label: string; amount: number },
    ];
    const run = await started(calls(same, same), ok);
    await untilAsked(run, 't1.c0');
    await decide(run, { arguments: { label: 'same', amount: 200 } });
    await endOf(run);
    expect(asked('pay', 'same', 300, 200)).toEqual([0, 1]);
    const told = await toldOf(run, 2, 'call_1_0');
    expect(told).toMatchObject({ arguments: { amount: 200 } });
    expect(await toldOf(run, 2, 'call_1_1')).toEqual(told);
  });

  test('in a run is the one that was made, not the one that was asked for', async () => {
    const quote = (amount: number) => calls(['quote', { label: 'run', amount }]);
    const run = await started(quote(300), quote(200), quote(300), ok);
    await untilAsked(run, 't1.c0');
    await decide(run, { arguments: { label: 'run', amount: 200 } });
    // The second turn's call was made in the first; the third turn's was not.
    await untilAsked(run, 't3.c0');
    await decide(run, { step: 't3.c0' });
    await endOf(run);
    expect(asked('quote', 'run', 300, 200)).toEqual([1, 1]);
    expect(await toldOf(run, 3, 'call_2_0')).toMatchObject({ arguments: { amount: 200 } });
  });

  test('in a window is shared by what was made: with a run that asks for it itself', async () => {
    const dispatch = (amount: number) =>
      started(calls(['dispatch', { label: 'window', amount }]), ok);
    const first = await dispatch(300);
    await untilAsked(first, 't1.c0');
    await decide(first, { arguments: { label: 'window', amount: 200 } });
    await endOf(first);
    const second = await dispatch(200);
    await untilAsked(second, 't1.c0');
    await decide(second, {});
    await endOf(second);
    expect(asked('dispatch', 'window', 300, 200)).toEqual([0, 1]);
    // Nobody has changed what this one asked for.
    expect(await toldOf(second, 2, 'call_1_0')).toEqual({
      name: 'dispatch:window:200',
      requests: 1,
    });
  });
});

test('a shadow run asks nobody, and pretends the call as the model asked for it', async () => {
  const { workflowId, key } = await system.client.start({
    agent: 'editor',
    input: { script: [calls(['pay', { label: 'shadow', amount: 300 }]), ok] },
    options: { shadow: true },
  });
  const run = { agent: 'editor', key, workflowId, scope: '', input: null };
  expect(await endOf(run)).toMatchObject({
    status: 'completed',
    shadow: [{ step: 't1.c0', arguments: JSON.stringify({ label: 'shadow', amount: 300 }) }],
  });
  expect(asked('pay', 'shadow', 300)).toEqual([0]);
  const late = decide(run, { arguments: { label: 'shadow', amount: 200 } });
  await expect(late).rejects.toMatchObject({ code: 'decision.not_asked' });
});

test('an update that a worker does not know is refused in the words by which our client tells so', async () => {
  const run = await paying('old');
  await untilAsked(run, 't1.c0');
  const handle = system.temporal.workflow.getHandle(run.workflowId);
  const unknown = handle.executeUpdate(`${APPROVE_EDITED_UPDATE}InAnotherVersion`, { args: [{}] });
  const error: unknown = await unknown.catch((thrown: unknown) => thrown);
  expect(isUnknownUpdate(error)).toBe(true);
  const refused = decide(run, { arguments: {} });
  const other: unknown = await refused.catch((thrown: unknown) => thrown);
  expect(other).toMatchObject(invalid);
  expect(isUnknownUpdate(other)).toBe(false);
  await system.client.cancel(run);
});

function untilOutcomeAsked(run: EditedRun) {
  return eventually(async () => {
    const view = await system.client.describe(run);
    expect(view.waiting).toMatchObject([{ step: 't1.c0', kind: 'outcome' }]);
    return view;
  });
}

/** The name of an activity in Temporal UI. */
function summaryIn(metadata: { summary?: { data?: Uint8Array | null } | null } | null | undefined) {
  const data = metadata?.summary?.data;
  return data ? (JSON.parse(Buffer.from(data).toString()) as string) : null;
}
