import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startHttpSuite, type HttpSuite } from './support/http-suite.ts';

interface Answer {
  description: string;
  content?: Record<string, unknown>;
  headers?: Record<string, unknown>;
}
interface Operation {
  operationId: string;
  parameters?: { name: string; in: string }[];
  requestBody?: { required: boolean };
  responses: Record<string, Answer>;
}

let suite: HttpSuite;
let document: { openapi: string; paths: Record<string, Record<string, Operation>> };

beforeAll(async () => {
  suite = await startHttpSuite();
  const answer = await fetch(`${suite.service.url}/openapi.json`);
  document = (await answer.json()) as typeof document;
});
afterAll(() => suite.close());

/** `getRun 404`, and what is answered then. */
function allAnswers(): [string, Answer][] {
  return allOperations().flatMap(({ operationId, responses }) =>
    Object.entries(responses).map(([status, answer]): [string, Answer] => [
      `${operationId} ${status}`,
      answer,
    ]),
  );
}
function allOperations(): Operation[] {
  return Object.values(document.paths).flatMap((path) => Object.values(path));
}
function statusesOf(operation: Operation): string[] {
  return Object.keys(operation.responses);
}

/** Where in the document each schema stands that has members. */
function findObjects(part: unknown, at = '#'): [string, Record<string, unknown>][] {
  if (typeof part !== 'object' || part === null) return [];
  const found = Object.entries(part).flatMap(([name, inner]) =>
    findObjects(inner, `${at}/${name}`),
  );
  // A member may be called so too.
  const named = at.endsWith('/properties');
  return 'properties' in part && !named ? [[at, part as Record<string, unknown>], ...found] : found;
}

test('the document has every operation, and no one but those', () => {
  expect(document.openapi).toBe('3.1.0');
  expect(
    allOperations()
      .map(({ operationId }) => operationId)
      .sort(),
  ).toEqual([
    'cancelRun',
    'decideStep',
    'explainRun',
    'followRun',
    'forgetRun',
    'getRun',
    'listRuns',
    'receiveEvent',
    'resumeRun',
    'startRun',
  ]);
});

describe('answers', () => {
  test('no one stands for all others, and of 5xx there is 503 alone', () => {
    const statuses = allOperations().flatMap(statusesOf);
    expect(statuses.filter((status) => !/^[1-5]\d\d$/.test(status))).toEqual([]);
    expect([...new Set(statuses.filter((status) => status.startsWith('5')))]).toEqual(['503']);
  });

  test('every operation says what a refused caller gets', () => {
    for (const operation of allOperations()) {
      const { operationId, parameters = [], requestBody } = operation;
      const inPath = parameters.some((parameter) => parameter.in === 'path');
      const expected = [
        '400',
        '401',
        '403',
        '408',
        '429',
        '503',
        ...(inPath ? ['404'] : []),
        ...(requestBody ? ['413', '415'] : []),
      ];
      const statuses = statusesOf(operation);
      const missing = expected.filter((status) => !statuses.includes(status));
      expect({ operationId, missing }).toEqual({ operationId, missing: [] });
    }
    const own = (id: string) =>
      allOperations()
        .filter(({ operationId }) => operationId === id)
        .flatMap(statusesOf);
    expect(own('startRun')).toEqual(expect.arrayContaining(['200', '202', '409', '422']));
    for (const id of ['resumeRun', 'forgetRun', 'decideStep']) expect(own(id)).toContain('409');
  });

  test('what is no success is a problem, and each answer is described', () => {
    for (const [name, { description, content }] of allAnswers()) {
      expect({ name, description }).not.toEqual({ name, description: 'Default Response' });
      if (Number(name.split(' ')[1]) < 400) continue;
      const schema = { $ref: '#/components/schemas/Problem' };
      expect({ name, content }).toEqual({
        name,
        content: { 'application/problem+json': { schema } },
      });
    }
  });
});

test('every answer but 401 may tell what is left of the rate limit', () => {
  for (const [name, { headers = {} }] of allAnswers()) {
    const told = Object.keys(headers).filter((header) => header.startsWith('X-RateLimit-'));
    expect({ name, told: told.length }).toEqual({ name, told: name.endsWith(' 401') ? 0 : 3 });
  }
});

test('every schema with members is closed', () => {
  const objects = findObjects(document);
  expect(objects.length).toBeGreaterThan(20);
  const open = objects.filter(([, schema]) => schema['additionalProperties'] !== false);
  expect(open.map(([at]) => at)).toEqual([]);
});

test('a body that may be left out is no required one', () => {
  const required = allOperations()
    .filter(({ requestBody }) => requestBody?.required)
    .map(({ operationId }) => operationId);
  expect(required.sort()).toEqual(['decideStep', 'startRun']);
});

test('an event of structured mode goes to events alone', async () => {
  const headers = { 'content-type': 'application/cloudevents+json', 'idempotency-key': '"event"' };
  const body = { input: 'no event' };
  const refused = await suite.send('POST', '/v1/agents/tester/runs', { headers, body });
  expect(refused.status).toBe(415);
});

describe('an event', () => {
  const event = { specversion: '1.0', id: 'e-1', source: '/shop', type: 'ordered', data: null };
  const send = (body: object, agent = 'tester') =>
    suite.send('POST', `/v1/agents/${agent}/events`, {
      headers: { 'content-type': 'application/cloudevents+json' },
      body,
    });

  test.each(['specversion', 'id', 'source', 'type'])('without %s is none', async (name) => {
    const { [name as 'id']: _, ...rest } = event;
    expect((await send(rest)).status).toBe(400);
  });

  test('may have attributes that are not declared, of names that attributes have', async () => {
    expect((await send({ ...event, traceparent: '00-1' })).status).toBe(202);
    expect((await send({ ...event, Trace_Parent: '00-1' })).status).toBe(400);
  });

  test('with data that is no JSON is taken as it stands', async () => {
    const { data: _, ...rest } = event;
    expect((await send({ ...rest, id: 'e-2', data_base64: 'AQID' })).status).toBe(202);
    expect((await send({ ...rest, id: 'e-3', data_base64: '?' })).status).toBe(400);
  });
});

describe('the cursor of a list', () => {
  const list = (query: string) => suite.send('GET', `/v1/runs?${query}`);

  test('is taken back as it was given, and for the same list', async () => {
    for (const n of [1, 2, 3]) await suite.start(`"page-${n}"`, { input: 'x' });
    let next: string | null = null;
    // The index lags behind the starts.
    for (let tries = 0; next === null && tries < 100; tries += 1) {
      ({ next } = (await (await list('agent=tester&limit=1')).json()) as { next: string | null });
    }
    expect((await list(`agent=tester&limit=2&cursor=${next}`)).status).toBe(200);
    expect((await list(`agent=short&cursor=${next}`)).status).toBe(400);
    expect((await list(`cursor=${next}`)).status).toBe(400);
  });

  test.each(['D6R', 'D6R.AAAAAAAAAAA', '', '.'])('is none: %p', async (cursor) => {
    expect((await list(`cursor=${cursor}`)).status).toBe(400);
  });
});

test.each(['QUERY', 'PUT', 'TRACE', 'OPTIONS'])(
  '%s is answered with what is allowed',
  async (method) => {
    // `fetch` sends no TRACE.
    const { default: http } = await import('node:http');
    const { hostname, port } = new URL(suite.service.url);
    const answer = await new Promise<{ status: number | undefined; allow: string | undefined }>(
      (resolve, reject) => {
        const request = http.request({ hostname, port, method, path: '/v1/runs' }, (response) => {
          response.resume();
          resolve({ status: response.statusCode, allow: response.headers['allow'] });
        });
        request.on('error', reject).end();
      },
    );
    expect(answer).toEqual({ status: 405, allow: 'GET, HEAD' });
  },
);
