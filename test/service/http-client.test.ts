import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AgentOnceHttpClient } from '../../src/client/http/http-client.ts';
import {
  HttpServiceError,
  KeyConflictError,
  NoAnswerError,
} from '../../src/client/http/http-error.ts';
import {
  openTestKeys,
  startTestService,
  type TestKeys,
  type TestService,
} from '../support/service.ts';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';

/** What a server that is not well does with the requests that come, one after another. */
type Step = { status: number; headers?: Record<string, string> } | 'cut';

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
        response.writeHead(step.status, {
          'content-type': 'application/json',
          ...step.headers,
        });
        response.end(JSON.stringify({ id: 'agent-x-1', code: 'c', detail: 'd' }));
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

  test('tries again with the same key, which it made itself', async () => {
    steps = [
      { status: 408 },
      { status: 425 },
      { status: 429, headers: { 'retry-after': '0' } },
      { status: 409, headers: { 'retry-after': '0' } },
      { status: 503 },
      'cut',
      'cut',
    ];
    await client(9).start({ agent: 'x', input: 1 });
    const keys = seen.map((headers) => headers['idempotency-key']);
    expect(keys).toHaveLength(8);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-/);
  });

  test.each([400, 401, 403, 404, 409, 413, 415])('does not try again after %i', async (status) => {
    steps = [{ status }];
    await expect(client().start({ agent: 'x' })).rejects.toBeInstanceOf(HttpServiceError);
    expect(seen).toHaveLength(1);
  });

  test('says which key finds out when nothing was answered', async () => {
    steps = ['cut', 'cut'];
    const error = await client(2)
      .start({ agent: 'x', key: 'a "quoted" key' })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NoAnswerError);
    expect((error as NoAnswerError).key).toBe('a "quoted" key');
  });
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
