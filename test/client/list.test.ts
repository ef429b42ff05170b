import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createContext } from '../../src/client/context.ts';
import { listPage, visibilityQuery } from '../../src/client/list.ts';
import type { ListFilter, RunSummary } from '../../src/client/types.ts';
import { NO_USAGE } from '../../src/contract/run.ts';
import { codeOf, startClientSuite, type ClientSuite } from '../support/client-suite.ts';
import { eventually } from '../support/eventually.ts';

describe.each([{ searchAttributes: true }, { searchAttributes: false }])('with %j', (options) => {
  let suite: ClientSuite;

  beforeAll(async () => {
    suite = await startClientSuite(options);
    const { client, temporal, worker } = suite;
    await client.start({ agent: 'support', key: 'running' });
    await client.start({ agent: 'support', tenant: 'acme', key: 'running' });
    await client.start({ agent: 'sales', key: 'odd key/1' });
    await client.start({ agent: 'support', key: 'completed' });
    await worker.complete('agent-support-completed', { output: 1, usage: NO_USAGE });
    await client.start({ agent: 'support', key: 'failed' });
    await worker.fail('agent-support-failed', { type: 'run.failed', message: 'm' });
    await client.start({ agent: 'sales', key: 'terminated' });
    await temporal.workflow.getHandle('agent-sales-terminated').terminate();
    await client.start({ agent: 'support', key: 'cancelled' });
    await client.cancel({ agent: 'support', key: 'cancelled' });
    await worker.cancel('agent-support-cancelled');
    await client.start({ agent: 'support', key: 'rehearsed', options: { shadow: true } });
    await worker.fail('agent-support-rehearsed', { type: 'tool.failed', message: 'm' });
    await client.start({ agent: 'support', key: 'forgotten', options: { shadow: true } });
    await worker.complete('agent-support-forgotten', { output: 1, usage: NO_USAGE });
    await client.forget({ agent: 'support', key: 'forgotten' });
    // Forgotten, and then started anew.
    await client.start({ agent: 'sales', key: 'anew' });
    await worker.complete('agent-sales-anew', { output: 1, usage: NO_USAGE });
    await client.forget({ agent: 'sales', key: 'anew' });
    await client.start({ agent: 'sales', key: 'anew' });
    await temporal.workflow.start('somethingElse', {
      workflowId: 'agent-support-stranger',
      taskQueue: 'nobody',
    });
    await eventually(async () => {
      const { count } = await temporal.workflow.count(
        "WorkflowType = 'somethingElse' OR ExecutionStatus != 'Running'",
      );
      if (count !== 10) throw new Error(`The index knows ${count} of 10`);
    });
  });
  afterAll(() => suite.close());

  async function list(filter: ListFilter): Promise<RunSummary[]> {
    const runs: RunSummary[] = [];
    for await (const run of suite.client.list(filter)) runs.push(run);
    return runs;
  }

  test('all runs, those under way first', async () => {
    const runs = await list({});
    expect(runs.map(({ workflowId }) => workflowId).sort()).toEqual([
      expect.stringMatching(/^agent-acme\.support-running$/),
      'agent-sales-anew',
      'agent-sales-terminated',
      expect.stringMatching(/^agent-sales-~/),
      'agent-support-cancelled',
      'agent-support-completed',
      'agent-support-failed',
      'agent-support-forgotten',
      'agent-support-rehearsed',
      'agent-support-running',
    ]);
    expect(runs.slice(0, 4).map(({ status }) => status)).toEqual(Array(4).fill('running'));
    expect(runs.find(({ agent }) => agent === 'sales')?.key).toMatch(/anew|terminated|odd key\/1/);
    expect(runs.find(({ tenant }) => tenant === 'acme')).toMatchObject({
      agent: 'support',
      key: 'running',
      status: 'running',
      closedAt: null,
      startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  test.each<[ListFilter, string[]]>([
    [{ agent: 'sales' }, ['anew', 'odd key/1', 'terminated']],
    [{ tenant: 'acme' }, ['running']],
    [{ tenant: 'default', agent: 'support', status: 'running' }, ['running']],
    [{ tenant: 'acme', agent: 'sales' }, []],
    [{ status: 'completed' }, ['completed']],
    [{ status: 'failed' }, ['failed', 'rehearsed', 'terminated']],
    [{ status: 'cancelled' }, ['cancelled']],
    [{ status: 'waiting' }, []],
    [{ status: 'forgotten' }, ['forgotten']],
    [{ status: 'forgotten', agent: 'support' }, ['forgotten']],
    [{ status: 'forgotten', agent: 'sales' }, []],
    [{ agent: 'nobody' }, []],
    [
      { tenant: 'default' },
      [
        'anew',
        'cancelled',
        'completed',
        'failed',
        'forgotten',
        'odd key/1',
        'rehearsed',
        'running',
        'terminated',
      ],
    ],
  ])('%j', async (filter, keys) => {
    expect((await list(filter)).map(({ key }) => key).sort()).toEqual(keys);
  });

  test('each says whether it is a shadow run, and why it ended badly', async () => {
    const runs = await list({ tenant: 'default', agent: 'support' });
    const told = runs.map(({ key, status, shadow, error }) => [key, status, shadow, error]);
    expect(told.sort(([a], [b]) => String(a).localeCompare(String(b)))).toEqual([
      ['cancelled', 'cancelled', false, 'run.cancelled'],
      ['completed', 'completed', false, null],
      ['failed', 'failed', false, 'run.failed'],
      ['forgotten', 'forgotten', true, null],
      ['rehearsed', 'failed', true, 'tool.failed'],
      ['running', 'running', false, null],
    ]);
    expect((await list({ agent: 'sales', status: 'failed' })).map(({ error }) => error)).toEqual([
      'run.terminated',
    ]);
    const forgotten = runs.find(({ status }) => status === 'forgotten');
    const { startedAt = '', closedAt } = forgotten ?? {};
    expect(Date.parse(startedAt)).toBeLessThan(Date.parse(closedAt ?? ''));
  });

  test('page by page: the same runs, each once, as they stand now', async () => {
    const context = createContext({ temporal: suite.temporal, ...options });
    const paged: RunSummary[] = [];
    let cursor: string | undefined;
    do {
      const page = await listPage(context, { tenant: 'default' }, { limit: 1, cursor });
      paged.push(...page.runs);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    const byId = (runs: RunSummary[]) =>
      runs.sort((a, b) => a.workflowId.localeCompare(b.workflowId));
    expect(byId(paged)).toEqual(byId(await list({ tenant: 'default' })));
  });

  test('no more than the limit', async () => {
    expect(await list({ limit: 2 })).toHaveLength(2);
    expect(await list({ limit: 0 })).toHaveLength(0);
  });

  test('names that are none', async () => {
    expect(await codeOf(list({ agent: "x' OR 1=1" }))).toBe('name.invalid');
    expect(await codeOf(list({ tenant: "x'" }))).toBe('name.invalid');
    expect(await codeOf(list({ status: 'done' as never }))).toBe('usage');
  });
});

test('the query narrows by what the index knows', () => {
  expect(visibilityQuery({ agent: 'a', status: 'waiting' }, true)).toBe(
    "WorkflowType = 'agentRun' AND AgentName = 'a' AND ExecutionStatus IN ('Running') AND AgentStatus = 'waiting'",
  );
  expect(visibilityQuery({ agent: 'a', status: 'waiting' }, false)).not.toMatch(/Agent[NS]/);
});
