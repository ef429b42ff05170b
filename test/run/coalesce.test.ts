import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RunView, StartRequest } from '../../src/client/types.ts';
import { runCommand } from '../support/cli.ts';
import { testWith } from '../support/extras.ts';
import { eventually } from '../support/eventually.ts';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';
import { untilEnd } from '../support/until-end.ts';

const RUNS = 20;

let system: TestSystem;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-once-prices-'));
  const prices = join(folder, 'prices.json');
  await writeFile(prices, '{"scripted-priced":{"input":1,"output":10}}');
  system = await startTestSystem();
  const env = { MODEL_PRICES_FILE: prices };
  await Promise.all([system.startWorker(env), system.startWorker(env)]);
});
afterAll(async () => {
  await system.close();
  await rm(folder, { recursive: true });
});

const recall = (label: string) => script(calls(['recall', { label }]), { say: 'ok' });

/** Every answer of the model takes so long: runs that start together ask at the same time. */
const slowModel = (ms: number) =>
  fetch(new URL('/delay', system.model.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ms }),
  });

async function requestsFor<T>(work: () => Promise<T>): Promise<{ requests: number; done: T }> {
  const before = (await system.modelRequests()).requests;
  const done = await work();
  return { requests: (await system.modelRequests()).requests - before, done };
}

async function completed(request: StartRequest): Promise<RunView> {
  const run = await system.client.start(request);
  const view = await untilEnd(system.client, run);
  expect(view).toMatchObject({ status: 'completed', result: 'ok' });
  return view;
}

const scopeOf = ({ workflowId }: RunView) => system.scopeOf(workflowId);

describe('identical model calls at the same time', () => {
  afterAll(() => slowModel(0));

  test('are one request per turn, on two workers, and paid once', async () => {
    await slowModel(6_000);
    const { requests, done: views } = await requestsFor(() =>
      Promise.all(
        Array.from({ length: RUNS }, () =>
          completed({ agent: 'thrifty', input: recall('together') }),
        ),
      ),
    );
    expect(requests).toBe(2);
    // The tools are each run's own, with its own token.
    expect(system.counter.effects('recall:together')).toBe(RUNS);

    const { rows } = await system.sql.query<{ worker: string; paid: boolean; cost_usd: number }>(
      `SELECT worker, shared_with IS NULL AS paid, cost_usd FROM agent_once.steps
       WHERE kind = 'model' AND scope = ANY($1)`,
      [await Promise.all(views.map(scopeOf))],
    );
    expect(rows).toHaveLength(2 * RUNS);
    expect(new Set(rows.map(({ worker }) => worker)).size).toBe(2);
    const paid = rows.filter((row) => row.paid);
    expect(paid).toHaveLength(2);
    const sum = (costs: number[]) => costs.reduce((a, b) => a + b, 0);
    const total = sum(paid.map((row) => row.cost_usd));
    expect(total).toBeGreaterThan(0);
    // What the runs say of themselves adds up to what was paid, and no more.
    expect(sum(views.map(({ usage }) => usage?.costUsd ?? Number.NaN))).toBeCloseTo(total, 9);
    expect(views.map(({ usage }) => usage?.modelCalls)).toEqual(views.map(() => 2));
  });

  test('are two for two inputs, tenants, modes, or without the agent’s leave', async () => {
    await slowModel(2_000);
    const request = { agent: 'thrifty', input: recall('apart') };
    const { requests } = await requestsFor(() =>
      Promise.all([
        completed(request),
        completed({ ...request, input: recall('otherwise') }),
        completed({ ...request, tenant: 'other' }),
        completed({ ...request, options: { shadow: true } }),
        completed({ ...request, options: { model: 'scripted' } }),
        completed({ ...request, agent: 'tester' }),
        completed({ ...request, agent: 'tester' }),
      ]),
    );
    expect(requests).toBe(2 * 7);
  });

  test('are not shared with those that come later', async () => {
    await slowModel(0);
    const request = { agent: 'thrifty', input: recall('later') };
    const { requests } = await requestsFor(async () => {
      await completed(request);
      await completed(request);
    });
    expect(requests).toBe(4);
  });
});

test('what models answered serves later runs for as long as the agent says', async () => {
  const request = { agent: 'thriftier', input: recall('kept') };
  const first = await requestsFor(() => completed(request));
  expect(first.requests).toBe(2);
  const later = await requestsFor(() => completed(request));
  expect(later.requests).toBe(0);
  expect(later.done.usage).toMatchObject({ modelCalls: 2, inputTokens: 0, costUsd: 0 });
  expect(await system.ledger.step(await scopeOf(later.done), 't2.model')).toMatchObject({
    sharedWith: `${await scopeOf(first.done)}:t2.model`,
  });
});

/** What `explain` tells of a step that several runs have. */
interface SharedStep {
  kind: string;
  sharing?: { steps: number; shareUsd: number };
}

testWith('explain')('what models answered is told with the steps that have it', async () => {
  const request = { agent: 'thriftier', input: recall('told') };
  const first = await requestsFor(() => completed(request));
  const later = await requestsFor(() => completed(request));
  const costUsd = first.done.usage?.costUsd ?? Number.NaN;
  for (const { key } of [first.done, later.done]) {
    const { stdout } = await runCommand(['explain', 'thriftier', key, '--json'], {
      ...system.env,
      TEST_AGENTS: 'of workers',
    });
    const { steps } = JSON.parse(stdout) as { steps: SharedStep[] };
    const models = steps.filter(({ kind }) => kind === 'model');
    expect(models.map(({ sharing }) => sharing?.steps)).toEqual([2, 2]);
    const shares = models.map(({ sharing }) => sharing?.shareUsd ?? Number.NaN);
    expect((shares[0] ?? 0) + (shares[1] ?? 0)).toBeCloseTo(costUsd / 2, 9);
  }
  const { stdout } = await runCommand(['explain', 'thriftier', later.done.key], {
    ...system.env,
    TEST_AGENTS: 'of workers',
  });
  expect(stdout).toMatch(/shared: the result of \S+:t1\.model, made there; 2 steps have it: \$/);
});

test('and no longer', async () => {
  const other = await startTestSystem();
  try {
    await other.startWorker({ TEST_CACHE_SECONDS: '2' });
    const input = script({ say: 'ok' });
    await eventually(async () => {
      const run = await other.client.start({ agent: 'thriftier', input });
      expect(await untilEnd(other.client, run)).toMatchObject({ status: 'completed' });
      expect((await other.modelRequests()).requests).toBe(2);
    });
  } finally {
    await other.close();
  }
});
