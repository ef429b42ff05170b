import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startHttpSuite, type HttpSuite } from './support/http-suite.ts';
import type { TestService } from './support/service.ts';

let suite: HttpSuite;
let services: TestService[];
let conflicting: TestService;

beforeAll(async () => {
  suite = await startHttpSuite();
  // The third says 409 to duplicates of a running run where a test asks it alone.
  services = [suite.service, await suite.startAnother(), await suite.startAnother()];
  conflicting = await suite.startAnother({ AGENT_ONCE_HTTP_DUPLICATES: 'conflict' });
});
afterAll(() => suite.close());

interface Outcome {
  status: number;
  problem: string;
  location: string | null;
  replayed: boolean;
}

/** The n-th request goes to the n-th process. */
async function startAt(n: number, key: string, body: unknown): Promise<Outcome> {
  const service = services[n % services.length] as TestService;
  const answer = await suite.start(key, body, { service });
  const { status, headers } = answer;
  const { code, detail } = (await answer.json()) as { code?: string; detail?: string };
  return {
    status,
    problem: code === undefined ? '' : `${code}: ${detail}`,
    location: headers.get('location'),
    replayed: headers.get('idempotent-replayed') === 'true',
  };
}

async function runsOf(workflowId: string): Promise<number> {
  const { count } = await suite.system.temporal.workflow.count(`WorkflowId = '${workflowId}'`);
  return count;
}

const indexes = Array.from({ length: 100 }, (_, i) => i);

test('16, 18 of 100 equal starts over three processes, one makes the run and all get it', async () => {
  const outcomes = await Promise.all(indexes.map((n) => startAt(n, '"k-16"', { input: 16 })));
  expect(new Set(outcomes.map(({ problem }) => problem))).toEqual(new Set(['']));
  expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set([202]));
  expect(new Set(outcomes.map(({ location }) => location))).toEqual(
    new Set(['/v1/runs/agent-tester-k-16']),
  );
  expect(outcomes.filter(({ replayed }) => !replayed)).toHaveLength(1);
  expect(await runsOf('agent-tester-k-16')).toBe(1);
});

test('17, 18 of 50 starts and 50 others under one key, one makes the run, and the others get 422', async () => {
  const outcomes = await Promise.all(
    // Both kinds reach each process.
    indexes.map((n) => startAt(n, '"k-17"', { input: Math.floor(n / 3) % 2 === 0 ? 'A' : 'B' })),
  );
  const kinds = ['A', 'B'].map((_, kind) =>
    outcomes.filter((_outcome, n) => Math.floor(n / 3) % 2 === kind),
  );
  const statuses = kinds.map((kind) => [...new Set(kind.map(({ status }) => status))]);
  expect(new Set(statuses.map(String))).toEqual(new Set(['202', '422']));
  expect(outcomes.filter(({ status, replayed }) => status === 202 && !replayed)).toHaveLength(1);
  const refused = outcomes.filter(({ status }) => status === 422);
  expect(new Set(refused.map(({ location }) => location))).toEqual(new Set([null]));
  expect(await runsOf('agent-tester-k-17')).toBe(1);
});

test('19 a duplicate during the run gets the run, or 409 where that is set', async () => {
  const request = { input: 19 };
  const first = await suite.start('"k-19"', request);
  const attached = await suite.start('"k-19"', request);
  expect(attached.status).toBe(202);
  expect(attached.headers.get('idempotent-replayed')).toBe('true');
  expect(attached.headers.get('location')).toBe(first.headers.get('location'));
  const refused = await suite.start('"k-19"', request, { service: conflicting });
  expect(refused.status).toBe(409);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({ code: 'http.duplicate_in_progress' });
  // It is about runs that go on alone: the first start, and one that has ended, are answered.
  const fresh = await suite.start('"k-19b"', request, { service: conflicting });
  expect(fresh.status).toBe(202);
  await suite.system.temporal.workflow.getHandle('agent-tester-k-19b').terminate('test');
  const ended = await suite.start('"k-19b"', request, { service: conflicting });
  expect([ended.status, ended.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
});

test('19 an event that is delivered again during the run is a duplicate too, whatever it carries', async () => {
  const send = (data: unknown, service = suite.service) =>
    suite.send('POST', '/v1/agents/tester/events', {
      headers: {
        'ce-specversion': '1.0',
        'ce-id': '19',
        'ce-source': '/test',
        'ce-type': 'test',
      },
      body: data,
      service,
    });
  const first = await send(1);
  const attached = await send(2);
  expect([attached.status, attached.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
  expect(Number(attached.headers.get('retry-after'))).toBeGreaterThan(0);
  for (const data of [1, 2]) {
    const refused = await send(data, conflicting);
    expect(refused.status).toBe(409);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('location')).toBe(first.headers.get('location'));
    expect(await refused.json()).toMatchObject({ code: 'http.duplicate_in_progress' });
  }
});

test('20 another body during the run gets 422, also where duplicates get 409', async () => {
  expect((await suite.start('"k-20"', { input: 20 })).status).toBe(202);
  for (const service of [suite.service, conflicting]) {
    const other = await suite.start('"k-20"', { input: 'else' }, { service });
    expect(other.status).toBe(422);
    expect(await other.json()).toMatchObject({ code: 'key.conflict' });
  }
});
