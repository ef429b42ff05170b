import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  chat,
  messageOf,
  outputOf,
  post,
  respond,
  script,
  startModel,
} from '../support/model/client.ts';
import { startGateway, type Gateway } from '../support/model/gateway.ts';
import type { TestModel } from '../support/model/test-model.ts';

let model: TestModel;
let gateway: Gateway;

beforeAll(async () => {
  model = await startModel();
  gateway = await startGateway(model.url);
});
afterAll(() => Promise.all([gateway.stop(), model.stop()]));

/** Requests for a step that came to the model. */
async function asked(token: string): Promise<number> {
  const response = await fetch(new URL(`/counters`, model.url));
  const { byToken } = (await response.json()) as { byToken: Record<string, number> };
  return byToken[token] ?? 0;
}

test('the first answer is given again, without asking the model', async () => {
  const before = gateway.replayed();
  const base = gateway.url.replace(/v1$/, 'openai/v1');
  const first = await respond(base, [script({ say: 'once' })], {}, 't1~a');
  const again = await respond(base, [script({ say: 'once' })], {}, 't1~a');
  // What the model encrypts is new every time, so these are the same answer.
  expect(outputOf(again)).toEqual(outputOf(first));
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect([await asked('t1'), gateway.replayed() - before]).toEqual([1, 1]);
});

test('another body under the same key is refused', async () => {
  const before = gateway.replayed();
  await chat(gateway.url, [script({ say: 'one' })], {}, 't2~a');
  const { status, body } = await chat(gateway.url, [script({ say: 'two' })], {}, 't2~a');
  expect(status).toBe(409);
  expect(body).toMatchObject({ error: { type: 'idempotency_error' } });
  expect((await chat(gateway.url, [script({ say: 'two' })], {}, 't2~b')).status).toBe(200);
  expect([await asked('t2'), gateway.replayed() - before]).toEqual([2, 0]);
});

test('no failure is kept', async () => {
  const before = gateway.replayed();
  const faults = [{ kind: 'status', status: 500 }, { kind: 'break' }];
  await post(new URL('/faults', model.url).href, { faults });
  const ask = () => chat(gateway.url, [script({ say: 'at last' })], {}, 't3~a');
  expect((await ask()).status).toBe(500);
  await expect(ask()).rejects.toThrow('fetch failed');
  expect(messageOf(await ask()).content).toBe('at last');
  expect([await asked('t3'), gateway.replayed() - before]).toEqual([3, 0]);
});

test('requests at the same time ask once', async () => {
  const before = gateway.replayed();
  const ask = () => chat(gateway.url, [script({ say: 'slow', delayMs: 100 })], {}, 't4~a');
  const answers = await Promise.all([ask(), ask(), ask()]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect([await asked('t4'), gateway.replayed() - before]).toEqual([1, 2]);
});

test('requests without a key pass', async () => {
  const before = gateway.replayed();
  const ask = () => chat(gateway.url, [script({ say: 'x' })]);
  expect([(await ask()).status, (await ask()).status]).toEqual([200, 200]);
  expect(gateway.replayed() - before).toBe(0);
});
