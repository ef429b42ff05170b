import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { chat, respond, script, startModel } from '../support/model/client.ts';
import type { TestModel } from '../support/model/test-model.ts';

let model: TestModel;

beforeAll(async () => {
  model = await startModel();
});
afterAll(() => model.stop());

async function get(path: string): Promise<unknown> {
  return (await fetch(new URL(path, model.url))).json();
}

test('received requests are found by step and by key, the oldest first', async () => {
  await chat(model.url, [script({ say: 'one' })], {}, 't6~a');
  await chat(model.url, [script({ say: 'two' })], {}, 't6~b');
  await respond(model.url, [script({ say: 'three' })], {}, 't7~a');
  expect(await get('/requests?token=t6')).toMatchObject({
    requests: [
      { key: 't6~a', path: '/v1/chat/completions', body: { model: 'some-model' } },
      { key: 't6~b', headers: { 'idempotency-key': 't6~b' }, truncated: false },
    ],
  });
  expect(await get('/requests?last=1')).toMatchObject({ requests: [{ key: 't7~a' }] });
  expect(await get(`/requests?key=${encodeURIComponent('t6~b')}`)).toMatchObject({
    requests: [{ key: 't6~b' }],
  });
});

test('received requests are the last 200, and of a long body the beginning', async () => {
  await chat(model.url, [{ role: 'user', content: 'x'.repeat(300 * 1024) }], {}, 't8');
  const found = (await get('/requests?token=t8')) as { requests: { body: string }[] };
  expect(found).toMatchObject({ requests: [{ truncated: true }] });
  expect(found.requests[0]?.body).toHaveLength(256 * 1024);
  for (let sent = 0; sent < 200; sent += 1) await chat(model.url, [script({ say: 'x' })]);
  expect(await get('/requests?token=t8')).toEqual({ requests: [] });
  expect(await get('/requests')).toMatchObject({ requests: { length: 200 } });
});
