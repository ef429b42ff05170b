import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { AgentOnceHttpClient } from '../http-client.ts';
import {
  HttpServiceError,
  InvalidRequestError,
  KeyConflictError,
  NoAnswerError,
} from '../http-error.ts';
import type { JsonValue } from '../../../contract/json-value.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import {
  openTestKeys,
  startTestService,
  type TestKeys,
  type TestService,
} from '../../service/test/support/service.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../test/support/system.ts';

/** What a server that is not well does with the requests that come, one after another. */
type Step =
  | { status: number; headers?: Record<string, string>; code?: string; text?: string }
  /** Before an answer, and in the middle of one. */
  | 'cut'
  | 'half';

describe('against a service that is not well', () => {
  let server: Server;
  let seen: IncomingHttpHeaders[] = [];
  let steps: Step[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push(request.headers);
      const step = steps.shift() ?? { status: 202 };
      request.resume().on('end', () => {
        if (step === 'cut') {
          request.socket.destroy();
          return;
        }
        if (step === 'half') {
          response.writeHead(202, { 'content-type': 'application/json', 'content-length': '99' });
          response.write('{"id":', () => request.socket.destroy());
          return;
        }
        const { status, headers, code = 'c', text } = step;
        response.writeHead(status, { 'content-type': 'application/json', ...headers });
        response.end(text ?? JSON.stringify({ id: 'agent-x-1', code, detail: 'd' }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const client = (attempts = 6) => {
    seen = [];
    const { port } = server.address() as AddressInfo;
    return new AgentOnceHttpClient({
      baseUrl: `http://127.0.0.1:${port}`,
      attempts,
      backoffMs: 1,
    });
  };

  test.each<[string, Step[]]>([
    [
      'what was asked too early or too often',
      [
        { status: 408 },
        { status: 425 },
        { status: 429, headers: { 'retry-after': '0' } },
        { status: 409, headers: { 'retry-after': '0' }, code: 'http.duplicate_in_progress' },
        { status: 409 },
      ],
    ],
    [
      'a service that fails',
      [
        { status: 500 },
        { status: 501 },
        { status: 503 },
        { status: 507 },
        { status: 520, headers: { 'content-type': 'text/html' }, text: '<p>Origin is down' },
        { status: 599 },
      ],
    ],
    ['an answer that is none', ['cut', 'half', { status: 200, text: '{"id":' }]],
  ])('tries again after %s, with the same key, which it made itself', async (_, troubles) => {
    steps = [...troubles];
    const most = steps.length + 1;
    const run = await client(most).start({ agent: 'x', input: 1 });
    expect(run).toMatchObject({ id: 'agent-x-1', replayed: false });
    const keys = seen.map((headers) => headers['idempotency-key']);
    expect(keys).toHaveLength(most);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-/);
  });

  test.each<[number, string?]>([
    [400],
    [401],
    [403],
    [404],
    [409, 'decision.conflict'],
    [409, 'decision.not_asked'],
    [409, 'run.expired'],
    [409, 'run.request_unknown'],
    [413],
    [415],
    [422],
  ])('does not try again after %i %s', async (status, code = 'c') => {
    steps = [{ status, code }];
    const refused = client().start({ agent: 'x' });
    await expect(refused).rejects.toBeInstanceOf(HttpServiceError);
    await expect(refused).rejects.toMatchObject({ status, code });
    expect(seen).toHaveLength(1);
  });

  test.each(['cut', 'half'] as const)(
    'says which key finds out when nothing was answered (%s)',
    async (step) => {
      steps = [step, step];
      const error = await client(2)
        .start({ agent: 'x', key: 'a "quoted" key' })
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(NoAnswerError);
      expect((error as NoAnswerError).key).toBe('a "quoted" key');
      expect(seen).toHaveLength(2);
    },
  );

  test('says which key it made when the service could not do it', async () => {
    steps = [{ status: 503 }, { status: 503 }];
    const error = await client(2)
      .start({ agent: 'x' })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'HttpServiceError', status: 503 });
    expect(seen[1]?.['idempotency-key']).toBe(`"${(error as HttpServiceError).key}"`);
  });

  test.each(['', 'schlüssel', 'a\nb', '\u{1f511}', 'x'.repeat(256)])(
    'sends nothing with a key that none can be: %j',
    async (key) => {
      await expect(client().start({ agent: 'x', key })).rejects.toBeInstanceOf(InvalidRequestError);
      expect(seen).toHaveLength(0);
    },
  );

  test('sends nothing with an input that is no JSON', async () => {
    const cyclic: { self?: JsonValue } = {};
    cyclic.self = cyclic as JsonValue;
    for (const input of [cyclic, 1n as unknown as JsonValue]) {
      const started = client().start({ agent: 'x', input: input as JsonValue });
      await expect(started).rejects.toBeInstanceOf(InvalidRequestError);
    }
    expect(seen).toHaveLength(0);
  });

  test('sends nothing with an API key that no header can hold, and does not repeat it', async () => {
    const { port } = server.address() as AddressInfo;
    seen = [];
    const baseUrl = `http://127.0.0.1:${port}`;
    const error = await new AgentOnceHttpClient({ baseUrl, apiKey: 'secret\nkey' })
      .start({ agent: 'x' })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(inspect(error)).not.toContain('secret');
    expect(seen).toHaveLength(0);
  });

  test.each(['', 'localhost:8088', '127.0.0.1', 'ftp://a.example', 'http://', 'http://u:p@a/x'])(
    'is not made with a baseUrl that is none: %j',
    (baseUrl) => {
      expect(() => new AgentOnceHttpClient({ baseUrl })).toThrow(InvalidRequestError);
    },
  );
});

describe('against the service', () => {
  let system: TestSystem;
  let service: TestService;
  let keys: TestKeys;
  let client: AgentOnceHttpClient;

  beforeAll(async () => {
    system = await startTestSystem();
    const [started] = await Promise.all([startTestService(system), system.startWorker()]);
    service = started;
    keys = await openTestKeys(system);
    client = new AgentOnceHttpClient({ baseUrl: service.url, apiKey: await keys.keyOf() });
  });
  afterAll(async () => {
    await service.stop();
    await keys.close();
    await system.close();
  });

  test('a run is started, followed to its end, and found again', async () => {
    const request = {
      agent: 'tester',
      input: script(calls(['look', { label: 'client' }]), { say: 'done' }),
    };
    const started = await client.start(request);
    expect(started).toMatchObject({ replayed: false, status: 'running' });
    const types: string[] = [];
    for await (const event of client.events(started.id)) types.push(event.type);
    expect(types).toContain('step');
    expect(types.at(-1)).toBe('end');
    expect(await client.wait(started.id)).toMatchObject({ status: 'completed', result: 'done' });
    const again = await client.start({ ...request, key: started.key, waitSeconds: 5 });
    expect(again).toMatchObject({ id: started.id, replayed: true, result: 'done' });
    await expect(client.start({ ...request, key: started.key, input: 1 })).rejects.toBeInstanceOf(
      KeyConflictError,
    );
  });

  test('a run that failed is resumed without its input; one that was forgotten is not', async () => {
    system.counter.fail('charge:http-resume');
    const input = script(calls(['charge', { label: 'http-resume' }]), { say: 'charged' });
    const { id } = await client.start({ agent: 'tester', key: 'http-resume', input });
    expect(await client.wait(id)).toMatchObject({ status: 'failed' });
    system.counter.heal('charge:http-resume');
    const resumed = await client.resume(id, { limits: { maxTurns: 9, model: 'model-b' } });
    expect(resumed).toMatchObject({ id, replayed: false });
    expect(await client.wait(id)).toMatchObject({ status: 'completed', result: 'charged' });
    // Completed: as it stands.
    expect(await client.resume(id)).toMatchObject({ status: 'completed', replayed: true });
    await system.client.forget({ agent: 'tester', key: 'http-resume' });
    await expect(client.resume(id)).rejects.toMatchObject({ status: 404, code: 'run.not_found' });
  });

  test('a run whose key has expired is not resumed: nothing is started, and it is tried once', async () => {
    const { id, runId } = await client.start({ agent: 'brief', key: 'http-expired', input: 'x' });
    await client.cancel(id);
    await client.wait(id);
    await eventually(async () => {
      await expect(client.resume(id)).rejects.toMatchObject({ status: 409, code: 'run.expired' });
    });
    expect(await client.get(id)).toMatchObject({ runId });
  });

  test('a list marks shadow runs, and names errors and what was forgotten', async () => {
    const request = { agent: 'tester', options: { shadow: true } } as const;
    const label = 'http-list';
    system.counter.fail(`look:${label}`);
    const input = script(calls(['look', { label }]), { say: 'ok' });
    const failed = await client.start({ ...request, key: `${label}-failed`, input });
    const forgotten = await client.start({
      ...request,
      key: `${label}-forgotten`,
      input: script({ say: 'ok' }),
    });
    await client.wait(failed.id);
    await client.wait(forgotten.id);
    await system.client.forget({ agent: 'tester', key: `${label}-forgotten` });
    const list = async (key: string) => {
      const headers = { authorization: `Bearer ${await keys.keyOf()}` };
      const answer = await fetch(`${service.url}/v1/runs?key=${label}-${key}`, { headers });
      return ((await answer.json()) as { runs: object[] }).runs;
    };
    await eventually(async () => {
      expect(await list('failed')).toEqual([
        expect.objectContaining({ status: 'failed', shadow: true, error: 'tool.failed' }),
      ]);
      expect(await list('forgotten')).toEqual([
        expect.objectContaining({ status: 'forgotten', shadow: true, error: null }),
      ]);
    });
  });

  test('waiting ends when the run asks a person; cancelling ends the run', async () => {
    const input = script(calls(['spend', { label: 'http', amount: 100 }]), { say: 'done' });
    const { id } = await client.start({ agent: 'tester', input });
    expect(await client.wait(id)).toMatchObject({
      status: 'waiting',
      waiting: [{ step: 't1.c0', kind: 'approval' }],
    });
    await client.cancel(id);
    expect(await client.wait(id)).toMatchObject({ status: 'cancelled' });
    await expect(client.get('agent-tester-none')).rejects.toMatchObject({
      status: 404,
      code: 'run.not_found',
    });
  });
});
