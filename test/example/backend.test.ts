import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { createBackend } from '../../examples/backend/app.ts';
import { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import { connectTestClient, type TestClient } from '../support/servers.ts';

// No worker: what a backend promises at once does not need one.
let temporal: TestClient;
let app: FastifyInstance;
let url: string;
const key = randomUUID();

beforeAll(async () => {
  temporal = await connectTestClient();
  app = createBackend(new AgentOnceClient({ temporal: temporal.client, searchAttributes: false }));
  // A real port: fastify's `inject` does not load under Jest's ES modules on Node 20.
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await temporal?.client.workflow.getHandle(`agent-support-${key}`).terminate();
  await app?.close();
  await temporal?.close();
});

function post(text: unknown, headers: Record<string, string>) {
  return fetch(`${url}/requests`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ text }),
  });
}

test("the caller's key starts one run, whoever asks again", async () => {
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => post('refund 25 EUR of 1042', { 'idempotency-key': key })),
  );
  for (const answer of answers) {
    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toBe(`/requests/${key}`);
    expect(await answer.json()).toMatchObject({ key, status: 'running' });
  }
  expect(answers.filter((answer) => !answer.headers.has('idempotent-replayed'))).toHaveLength(1);
  const now: unknown = await (await fetch(`${url}/requests/${key}`)).json();
  expect(now).toMatchObject({ status: 'running' });
});

test('another request under the key is a conflict', async () => {
  const answer = await post('refund 26 EUR of 1042', { 'idempotency-key': key });
  expect(answer.status).toBe(422);
  expect(await answer.json()).toEqual({ error: expect.stringMatching(/key/i) });
});

test.each<[string, unknown, Record<string, string>]>([
  ['no key', 'hello', {}],
  ['an empty key', 'hello', { 'idempotency-key': '' }],
  ['no text', undefined, { 'idempotency-key': 'x' }],
])('%s is refused', async (_title, text, headers) => {
  expect((await post(text, headers)).status).toBe(400);
});

test('an unknown key is not found', async () => {
  expect((await fetch(`${url}/requests/${randomUUID()}`)).status).toBe(404);
});
