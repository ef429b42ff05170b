import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonValue } from '../../src/contract/json-value.ts';
import type { StepRecord } from '../../src/ledger/port.ts';
import { eventually } from '../support/eventually.ts';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';
import { untilEnd } from '../support/until-end.ts';

const RUNS = 10;

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(async () => {
  await system.close();
});

async function start(...answers: JsonValue[]) {
  return system.client.start({ agent: 'tester', input: script(...answers) });
}

const endOf = (run: { agent: string; key: string; tenant?: string }) =>
  untilEnd(system.client, run);

async function completed(...answers: JsonValue[]) {
  const view = await endOf(await start(...answers));
  expect(view).toMatchObject({ status: 'completed' });
  return view;
}

const scopeOf = ({ workflowId }: { workflowId: string }) => system.scopeOf(workflowId);

const stepOf = async (
  run: { workflowId: string },
  step = 't1.c0',
): Promise<StepRecord | undefined> => system.ledger.step(await scopeOf(run), step);

const ship = (label: string, ms = 0) => [calls(['ship', { label, ms }]), { say: 'ok' }] as const;

describe('with a worker', () => {
  beforeAll(async () => {
    await system.startWorker();
  });

  test('a call that is made once a run gets the earlier result', async () => {
    const label = 'again';
    const view = await completed(
      calls(['recall', { label }], ['recall', { label }]),
      calls(['recall', { label }], ['recall', { label: 'other' }]),
      { say: 'ok' },
    );
    expect(system.counter.requests('recall:again')).toBe(1);
    expect(system.counter.requests('recall:other')).toBe(1);
    expect(view.usage).toMatchObject({ turns: 3, toolCalls: 2 });
    expect(await stepOf(view, 't2.c0')).toBeUndefined();
    expect(await stepOf(view, 't2.c1')).toMatchObject({ state: 'completed' });
  });

  test('a turn of which every call was made before goes straight to the next', async () => {
    const recall = calls(['recall', { label: 'all' }]);
    const view = await completed(recall, recall, { say: 'ok' });
    expect(view).toMatchObject({ result: 'ok', usage: { turns: 3, toolCalls: 1 } });
  });

  test('other runs make their own, and a call of each turn by default', async () => {
    const recall = calls(['recall', { label: 'own' }]);
    await completed(recall, { say: 'ok' });
    await completed(recall, { say: 'ok' });
    expect(system.counter.requests('recall:own')).toBe(2);

    const look = calls(['look', { label: 'turns' }]);
    await completed(look, look, { say: 'ok' });
    expect(system.counter.requests('look:turns')).toBe(2);
  });

  test('in the window, other runs and turns get the result of the first', async () => {
    const first = await completed(...ship('window'));
    const second = await completed(calls(['look', { label: 'before' }]), ...ship('window'));
    expect(system.counter.requests('ship:window')).toBe(1);
    const made = await stepOf(first);
    expect(await stepOf(second, 't2.c0')).toMatchObject({
      state: 'completed',
      result: made?.result,
      sharedWith: `${await scopeOf(first)}:t1.c0`,
    });
    expect(made).toMatchObject({ sharedWith: null });
  });

  test('of many runs at once one makes the call, and the others wait for it', async () => {
    const runs = await Promise.all(
      Array.from({ length: RUNS }, () => start(...ship('at once', 700))),
    );
    const views = await Promise.all(runs.map(endOf));
    expect(views.map(({ status }) => status)).toEqual(runs.map(() => 'completed'));
    expect(system.counter.requests('ship:at once')).toBe(1);
    const steps = await Promise.all(views.map((view) => stepOf(view)));
    expect(steps.filter((step) => step?.sharedWith === null)).toHaveLength(1);
    expect(new Set(steps.map((step) => JSON.stringify(step?.result))).size).toBe(1);
  });

  test('other arguments, agents and tenants share nothing', async () => {
    const [answer, say] = ship('apart');
    await completed(answer, say);
    await completed(calls(['ship', { label: 'apart', ms: 1 }]), say);
    for (const other of [
      { agent: 'short', tenant: 'default' },
      { agent: 'tester', tenant: 'other' },
    ]) {
      const run = await system.client.start({ ...other, input: script(answer, say) });
      expect(await endOf(run)).toMatchObject({ status: 'completed' });
    }
    expect(system.counter.requests('ship:apart')).toBe(4);
  });

  test('whoever waits makes the call that failed, under the token of the first', async () => {
    system.counter.fail('ship:failing');
    const runs = await Promise.all([start(...ship('failing')), start(...ship('failing'))]);
    await eventually(() => expect(system.counter.requests('ship:failing')).toBeGreaterThan(0));
    system.counter.heal('ship:failing');
    for (const run of runs) expect(await endOf(run)).toMatchObject({ status: 'completed' });
    expect(system.counter.effects('ship:failing')).toBe(1);
  });
});

test('after its end a window begins anew, and asking does not keep it open', async () => {
  const other = await startTestSystem();
  try {
    // Long enough for several runs on a busy machine.
    await other.startWorker({ TEST_WINDOW_SECONDS: '5' });
    const input = script(...ship('blink'));
    let runs = 0;
    await eventually(async () => {
      const run = await other.client.start({ agent: 'tester', input });
      const view = await untilEnd(other.client, run);
      expect(view).toMatchObject({ status: 'completed' });
      runs += 1;
      expect(other.counter.requests('ship:blink')).toBe(2);
    });
    expect(runs).toBeGreaterThan(2);
  } finally {
    await other.close();
  }
});
