import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ScriptedModel } from '../scripted-model/server.ts';
import {
  chat,
  messageOf,
  outputOf,
  post,
  respond,
  script,
  startModel,
} from './scripted-model-client.ts';

let model: ScriptedModel;
let origin: string;

beforeAll(async () => {
  model = await startModel();
  origin = model.url.replace(/\/v1$/, '');
});
afterAll(async () => {
  await model.stop();
});
beforeEach(async () => {
  await post(`${origin}/counters/reset`, {});
});

async function get(path: string): Promise<unknown> {
  return (await fetch(`${origin}${path}`)).json();
}

describe('the gateway', () => {
  test('gives the first answer again, without asking the model', async () => {
    const base = `${origin}/gateway/openai/v1`;
    const first = await respond(base, [script({ say: 'once' })], {}, 't1~a');
    const again = await respond(base, [script({ say: 'once' })], {}, 't1~a');
    // What the model encrypts is new every time, so these are the same answer.
    expect(outputOf(again)).toEqual(outputOf(first));
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await get('/counters')).toMatchObject({ requests: 1, replayed: 1 });
  });

  test('refuses another body under the same key', async () => {
    const base = `${origin}/gateway/v1`;
    await chat(base, [script({ say: 'one' })], {}, 't2~a');
    const { status, body } = await chat(base, [script({ say: 'two' })], {}, 't2~a');
    expect(status).toBe(409);
    expect(body).toMatchObject({ error: { type: 'idempotency_error' } });
    expect((await chat(base, [script({ say: 'two' })], {}, 't2~b')).status).toBe(200);
    expect(await get('/counters')).toMatchObject({ requests: 2, replayed: 0 });
  });

  test('keeps no failure', async () => {
    const base = `${origin}/gateway/v1`;
    const faults = [{ kind: 'status', status: 500 }, { kind: 'break' }];
    await post(`${origin}/faults`, { faults });
    const ask = () => chat(base, [script({ say: 'at last' })], {}, 't3~a');
    expect((await ask()).status).toBe(500);
    await expect(ask()).rejects.toThrow('terminated');
    expect(messageOf(await ask()).content).toBe('at last');
    expect(await get('/counters')).toMatchObject({ requests: 3, replayed: 0 });
  });

  test('asks once for requests at the same time', async () => {
    const base = `${origin}/gateway/v1`;
    const ask = () => chat(base, [script({ say: 'slow', delayMs: 100 })], {}, 't4~a');
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await get('/counters')).toMatchObject({ requests: 1, replayed: 2 });
  });

  test('can be switched on for every path, and lets requests without a key through', async () => {
    const ask = (key?: string) => chat(model.url, [script({ say: 'x' })], {}, key);
    const count = async () => {
      await ask('t5~a');
      await ask('t5~a');
      await ask();
      await ask();
      return get('/counters');
    };
    expect(await count()).toMatchObject({ requests: 4, replayed: 0 });
    await post(`${origin}/counters/reset`, {});
    await post(`${origin}/gateway`, { replay: true });
    expect(await count()).toMatchObject({ requests: 3, replayed: 1 });
    await post(`${origin}/counters/reset`, {});
    await post(`${origin}/gateway`, { replay: false });
    expect(await count()).toMatchObject({ requests: 4, replayed: 0 });
  });
});

test('counters count by step and by key, in both APIs', async () => {
  await chat(model.url, [script({ say: 'x' })], {}, 'run:t1.model~aaaaaaaaaaaa');
  await chat(model.url, [script({ say: 'x' })], {}, 'run:t1.model~aaaaaaaaaaaa');
  await respond(model.url, [script({ say: 'x' })], {}, 'run:t1.model~bbbbbbbbbbbb');
  expect(await get('/counters')).toEqual({
    requests: 3,
    byToken: { 'run:t1.model': 3 },
    byKey: { 'run:t1.model~aaaaaaaaaaaa': 2, 'run:t1.model~bbbbbbbbbbbb': 1 },
    replayed: 0,
  });
});

describe('recent requests', () => {
  test('are found by step and by key, the oldest first', async () => {
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

  test('are the last 200, and of a long body the beginning', async () => {
    await chat(model.url, [{ role: 'user', content: 'x'.repeat(300 * 1024) }], {}, 't8');
    const found = (await get('/requests?token=t8')) as { requests: { body: string }[] };
    expect(found).toMatchObject({ requests: [{ truncated: true }] });
    expect(found.requests[0]?.body).toHaveLength(256 * 1024);
    for (let sent = 0; sent < 200; sent += 1) await chat(model.url, [script({ say: 'x' })]);
    expect(await get('/requests?token=t8')).toEqual({ requests: [] });
    expect(await get('/requests')).toMatchObject({ requests: { length: 200 } });
  });
});
