import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../../../test/support/eventually.ts';
import { startHttpSuite, type HttpSuite, type Sent } from './support/http-suite.ts';

let suite: HttpSuite;

beforeAll(async () => {
  suite = await startHttpSuite({ TEST_SHOW_COMPARISONS: '1' });
});
afterAll(() => suite.close());

const as = (apiKey: string) => ({ authorization: `Bearer ${apiKey}` });

const ok = { input: 'scope' };
const startAs = (apiKey: string, key: string, more: Sent = {}) =>
  suite.start(`"${key}"`, ok, { ...more, headers: { ...as(apiKey), ...more.headers } });
const isReplay = (answer: Response) => answer.headers.get('idempotent-replayed') === 'true';
const bodyOf = async (answer: Response) => (await answer.json()) as Record<string, unknown>;

/** Every route about one run. */
const RUN_ROUTES: [method: string, path: string, body?: unknown][] = [
  ['GET', ''],
  ['GET', '/steps'],
  ['GET', '/events'],
  ['POST', '/cancel'],
  ['POST', '/resume'],
  ['POST', '/forget'],
  ['POST', '/steps/t1.c0/decision', { decision: 'approve', by: 'ann' }],
];

test('49 equal keys of two tenants are two runs', async () => {
  const [acme, globex] = [await suite.keys.keyOf('acme'), await suite.keys.keyOf('globex')];
  const first = await startAs(acme, 'k-49');
  const second = await startAs(globex, 'k-49');
  expect([isReplay(first), isReplay(second)]).toEqual([false, false]);
  expect(await bodyOf(first)).toMatchObject({ tenant: 'acme', id: 'agent-acme.tester-k-49' });
  expect(await bodyOf(second)).toMatchObject({ tenant: 'globex', id: 'agent-globex.tester-k-49' });
  const list = await suite.send('GET', '/v1/runs?key=k-49', { headers: as(acme) });
  const { runs } = (await list.json()) as { runs: { tenant: string }[] };
  expect(runs.map(({ tenant }) => tenant)).toEqual(['acme']);
});

test('50 the key of another agent, or of another route, is another one', async () => {
  const first = await startAs(suite.key, 'k-50');
  const other = await startAs(suite.key, 'k-50', { agent: 'brief' });
  expect([first.status, other.status, isReplay(other)]).toEqual([202, 202, false]);
  expect(other.headers.get('location')).not.toBe(first.headers.get('location'));
  const event = await suite.send('POST', '/v1/agents/tester/events', {
    headers: {
      'idempotency-key': '"k-50"',
      'ce-specversion': '1.0',
      'ce-id': '50',
      'ce-source': '/test',
      'ce-type': 'test',
    },
    body: ok,
  });
  expect([event.status, isReplay(event)]).toEqual([202, false]);
  expect(event.headers.get('location')).not.toBe(first.headers.get('location'));
});

test('51 a key that was revoked gets no replay, one that may only read none either', async () => {
  const { key, record } = await suite.keys.keys.create({
    tenant: 'default',
    scopes: ['start'],
    name: 'leaves',
  });
  expect((await startAs(key, 'k-51')).status).toBe(202);
  expect(isReplay(await startAs(key, 'k-51'))).toBe(true);
  expect(await suite.keys.keys.revoke(record.prefix)).toBe(true);
  const revoked = await startAs(key, 'k-51');
  expect([revoked.status, isReplay(revoked)]).toEqual([401, false]);
  expect(revoked.headers.get('location')).toBeNull();
  expect(Object.keys(await bodyOf(revoked)).sort()).toEqual(PROBLEM_MEMBERS);
  const reader = await startAs(await suite.keys.keyOf('default', ['read']), 'k-51');
  expect(reader.status).toBe(403);
  expect(reader.headers.get('location')).toBeNull();
  expect(Object.keys(await bodyOf(reader)).sort()).toEqual(PROBLEM_MEMBERS);
});

const PROBLEM_MEMBERS = ['code', 'detail', 'status', 'title', 'type'];

test('52 no header says whose request it is', async () => {
  const acme = await suite.keys.keyOf('acme');
  const headers = {
    'x-tenant': 'globex',
    'x-tenant-id': 'globex',
    tenant: 'globex',
    forwarded: 'for=globex',
  };
  const answer = await startAs(acme, 'k-52', { headers });
  expect(await bodyOf(answer)).toMatchObject({ tenant: 'acme' });
  expect((await suite.start('"k-52b"', { ...ok, tenant: 'globex' })).status).toBe(400);
});

test('53 after 401, 403 and 429 the same key works', async () => {
  const narrow = await suite.startAnother({ AGENT_ONCE_HTTP_REQUESTS_PER_MINUTE: '1' });
  expect((await startAs('ao_none', 'k-53')).status).toBe(401);
  const reader = await suite.keys.keyOf('default', ['read']);
  expect((await startAs(reader, 'k-53')).status).toBe(403);
  const used = await suite.send('GET', '/v1/runs', { service: narrow });
  expect(used.status).toBe(200);
  expect(used.headers.get('x-ratelimit-remaining')).toBe('0');
  const limited = await startAs(suite.key, 'k-53', { service: narrow });
  expect(limited.status).toBe(429);
  expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await bodyOf(limited)).toMatchObject({ code: 'http.rate_limited' });
  // Another tenant has its own.
  const other = await suite.keys.keyOf('globex');
  expect((await startAs(other, 'k-53', { service: narrow })).status).toBe(202);
  // Whoever has no valid key is counted by address, and keeps out nobody who has one.
  const wrong = () => startAs('ao_none', 'k-53', { service: narrow });
  expect((await wrong()).status).toBe(401);
  const often = await wrong();
  expect(often.status).toBe(429);
  expect(Number(often.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await bodyOf(often)).toMatchObject({ code: 'http.rate_limited' });
  const third = await suite.keys.keyOf('initech');
  expect((await startAs(third, 'k-53', { service: narrow })).status).toBe(202);
  const works = await startAs(suite.key, 'k-53');
  expect([works.status, isReplay(works)]).toEqual([202, false]);
});

test('a refused request counts as one, and every answer says how many are left', async () => {
  const service = await suite.startAnother({ AGENT_ONCE_HTTP_REQUESTS_PER_MINUTE: '5' });
  const reader = as(await suite.keys.keyOf('counted', ['read']));
  const all = as(await suite.keys.keyOf('counted'));
  const runs = '/v1/agents/tester/runs';
  const headers = { ...all, 'idempotency-key': '"counted"' };
  const answers = [
    await suite.send('POST', runs, { service, headers, body: '{' }),
    await suite.send('POST', runs, { service, headers: reader, body: ok }),
    await suite.send('POST', runs, {
      service,
      headers: { ...headers, 'content-type': 'text/plain' },
      body: 'x',
    }),
    await suite.send('GET', '/v1/runs?limit=x', { service, headers: all }),
    await suite.send('GET', '/v1/runs/agent-counted.tester-none', { service, headers: all }),
    await suite.send('POST', runs, { service, headers, body: '{' }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([400, 403, 415, 400, 404, 429]);
  const told = (name: string) => answers.map((answer) => answer.headers.get(`x-ratelimit-${name}`));
  expect(told('limit')).toEqual(answers.map(() => '5'));
  expect(told('remaining')).toEqual(['4', '3', '2', '1', '0', '0']);
  expect(told('reset').every((seconds) => Number(seconds) > 0)).toBe(true);
  expect(Number(answers.at(-1)?.headers.get('retry-after'))).toBeGreaterThan(0);
});

describe('without API keys', () => {
  let open: URL;
  beforeAll(async () => {
    open = new URL((await suite.startAnother({ TEST_OPEN: '1' })).url);
  });

  /** `fetch` lets nobody choose the host. */
  const ask = async (headers: Record<string, string>, method = 'GET', path = '/v1/runs') => {
    const { hostname, port } = open;
    const request = http.request({ hostname, port, method, path, headers, agent: false }).end();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const { code } = JSON.parse(await text(response)) as { code?: string };
    return [response.statusCode, code];
  };

  test.each(['localhost', '127.0.0.1', '[::1]', 'LOCALHOST'])('%s is answered', async (name) => {
    expect(await ask({ host: `${name}:${open.port}` })).toEqual([200, undefined]);
    expect(await ask({ host: name })).toEqual([200, undefined]);
    const origin = `http://${name.toLowerCase()}:${open.port}`;
    expect(await ask({ host: `${name}:${open.port}`, origin })).toEqual([200, undefined]);
  });

  test.each(['example.com', 'localhost.example.com', '127.0.0.1.nip.io:80', '10.0.0.1'])(
    'a page whose host "%s" was made to stand for this machine gets nothing',
    async (host) => {
      expect(await ask({ host })).toEqual([403, 'http.foreign_host']);
      expect(await ask({ host }, 'GET', '/openapi.json')).toEqual([403, 'http.foreign_host']);
    },
  );

  test.each([
    ['another site', 'https://example.com'],
    ['another port', 'http://127.0.0.1:3000'],
    ['another scheme', 'https://HOST'],
    ['another name of this machine', 'http://localhost:PORT'],
    ['a file, or a sandbox', 'null'],
  ])('a page of %s gets nothing', async (_what, origin) => {
    const sent = origin.replace('HOST', open.host).replace('PORT', open.port);
    const refused = [403, 'http.foreign_origin'];
    const run = '/v1/runs/agent-tester-none';
    expect(await ask({ origin: sent })).toEqual(refused);
    expect(await ask({ origin: sent }, 'POST', `${run}/cancel`)).toEqual(refused);
    expect(await ask({}, 'POST', `${run}/cancel`)).toEqual([404, 'run.not_found']);
  });

  test('what a foreign page embeds is refused, a link that somebody follows is not', async () => {
    const site = { 'sec-fetch-site': 'cross-site' };
    expect(await ask({ ...site, 'sec-fetch-mode': 'no-cors' })).toEqual([
      403,
      'http.foreign_origin',
    ]);
    expect(await ask({ ...site, 'sec-fetch-mode': 'navigate' })).toEqual([200, undefined]);
  });
});

test('with API keys a page needs the key, and no more is asked', async () => {
  const headers = { origin: 'https://example.com' };
  expect((await suite.send('GET', '/v1/runs', { headers })).status).toBe(200);
});

test('54 on GET a key means nothing, however it looks', async () => {
  const started = await startAs(suite.key, 'k-54');
  const location = started.headers.get('location') ?? '';
  for (const header of ['"k-54"', '"a", "b"', '42', '"unterminated']) {
    const answer = await suite.send('GET', location, { headers: { 'idempotency-key': header } });
    expect([answer.status, isReplay(answer)]).toEqual([200, false]);
  }
});

test.each(RUN_ROUTES.map(([method, path, body]) => ({ method, path, body })))(
  "55 $method /v1/runs/{id}$path of another tenant's run answers as if there were none",
  async ({ method, path, body }) => {
    const globex = as(await suite.keys.keyOf('globex'));
    const mine = await startAs(suite.key, 'k-55');
    const ids = [(await bodyOf(mine))['id'], 'agent-tester-none', 'agent-globex.tester-none', 'x'];
    const answers = await Promise.all(
      ids.map((id) =>
        suite.send(method, `/v1/runs/${String(id)}${path}`, {
          headers: globex,
          ...(body === undefined ? {} : { body }),
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    expect(texts[0]).toContain('run.not_found');
    expect(new Set(texts).size).toBe(1);
    const names = answers.map(({ headers }) => [...headers.keys()].sort().join());
    expect(new Set(names).size).toBe(1);
  },
);

describe('56 a scope', () => {
  const may: Record<string, string[]> = {
    start: [
      'POST /v1/agents/tester/runs',
      'POST /v1/agents/tester/events',
      'POST /cancel',
      'POST /resume',
    ],
    read: ['GET ', 'GET /steps', 'GET /events', 'GET /v1/runs'],
    decide: ['POST /steps/t1.c0/decision'],
    admin: ['POST /forget'],
  };
  test.each(['start', 'read', 'decide', 'admin'] as const)(
    '%s allows what it says',
    async (scope) => {
      const headers = as(await suite.keys.keyOf('scopes', [scope]));
      const routes: [string, string, unknown?][] = [
        ['POST', '/v1/agents/tester/runs', ok],
        ['POST', '/v1/agents/tester/events', ok],
        ['GET', '/v1/runs'],
        ...RUN_ROUTES,
      ];
      const event = {
        'ce-specversion': '1.0',
        'ce-id': '56',
        'ce-source': '/test',
        'ce-type': 'test',
      };
      const allowed: string[] = [];
      for (const [method, path, body] of routes) {
        const url = path.startsWith('/v1/') ? path : `/v1/runs/agent-scopes.tester-none${path}`;
        const answer = await suite.send(method, url, {
          headers: { ...headers, ...event, 'idempotency-key': '"k-56"' },
          ...(body === undefined ? {} : { body }),
        });
        if (answer.status !== 403) allowed.push(`${method} ${path}`);
        else expect(await bodyOf(answer)).toMatchObject({ code: 'http.forbidden' });
      }
      const expected = scope === 'admin' ? Object.values(may).flat() : (may[scope] ?? []);
      expect(allowed.sort()).toEqual(expected.toSorted());
    },
  );
});

test('57 logs have no key, no body, no ID and no API key', async () => {
  const secret = 'hunter2-secret';
  const answers = [
    await suite.start(`"${secret}"`, { input: secret }),
    await suite.start(`"${secret}"`, { input: `${secret}-else` }),
    await suite.start(`${secret} ${secret}`, { input: secret }),
    await suite.start('"k-57"', `{"${secret}"`),
    await suite.start('"k-57"', { [secret]: 1 }),
    await suite.send('GET', `/v1/runs/agent-tester-${secret}`),
    await suite.send('GET', `/v1/runs?key=${secret}`),
    await suite.send('GET', `/nowhere/${secret}?${secret}`),
    await suite.send('GET', '/v1/runs', { headers: as(secret) }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([
    202, 422, 400, 400, 400, 200, 200, 404, 401,
  ]);
  // The last request's line is there, so those of the others are.
  const output = await eventually(() => {
    const lines = suite.service.output();
    expect(lines).toContain('"statusCode":401');
    return lines;
  });
  expect(output).toContain('/v1/agents/:agent/runs');
  expect(output).not.toContain(secret);
  expect(output).not.toContain(suite.key);
  expect(output).toContain(`"keyPrefix":"${suite.key.slice(0, 15)}"`);
});

test('58 a replay is an answer of its own: no cookie, the time of today, never stored', async () => {
  const first = await startAs(suite.key, 'k-58');
  const date = Date.parse(first.headers.get('date') ?? '');
  await eventually(() => expect(Date.now()).toBeGreaterThan(date + 2_000));
  const replay = await startAs(suite.key, 'k-58');
  expect(isReplay(replay)).toBe(true);
  expect(Date.parse(replay.headers.get('date') ?? '')).toBeGreaterThan(date);
  expect(replay.headers.get('set-cookie')).toBeNull();
  expect(replay.headers.get('cache-control')).toBe('no-store');
});

test('59 whatever is wrong with an API key, it is looked up, compared and answered alike', async () => {
  const { key: revoked, record } = await suite.keys.keys.create({
    tenant: 'default',
    scopes: ['read'],
    name: 'leaves',
  });
  await suite.keys.keys.revoke(record.prefix);
  const wrong = {
    secret: `${suite.key.slice(0, -4)}AAAA`,
    prefix: suite.key.replace(/^ao_.{12}/, `ao_${'x'.repeat(12)}`),
    revoked,
    form: 'x',
  };
  const answers: string[] = [];
  const work: string[][] = [];
  for (const apiKey of Object.values(wrong)) {
    const before = seen().length;
    const answer = await suite.send('GET', '/v1/runs', { headers: as(apiKey) });
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    answers.push(await answer.text());
    work.push(
      await eventually(() => {
        const lines = seen().slice(before);
        expect(lines.at(-1)).toMatch(/^compare/);
        return lines;
      }),
    );
  }
  expect(new Set(answers).size).toBe(1);
  expect(work[0]).toEqual([
    expect.stringMatching(/^query SELECT .*agent_once\.api_keys WHERE prefix = ANY/),
    'compare 32 with 32 bytes',
  ]);
  for (const same of work) expect(same).toEqual(work[0]);
});

const seen = () =>
  [...suite.service.output().matchAll(/^seen: (.*)\n/gm)].map(([, line]) => line ?? '');
