import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createParser } from 'eventsource-parser';
import { runCommand } from '../../../../test/support/cli.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import { startHttpSuite, type HttpSuite } from './support/http-suite.ts';
import { NET_MS } from '../../../../test/support/nets.ts';
import { calls, script } from '../../../../test/support/system.ts';

const WINDOW_SECONDS = 10;

let suite: HttpSuite;
/** Of a stream whose API key is revoked: that takes up to 15 s, in which other tests run. */
let ofRevoked: { key: string; read: ReturnType<typeof readOn> };

beforeAll(async () => {
  suite = await startHttpSuite({ TEST_START_WINDOW_SECONDS: String(WINDOW_SECONDS) });
  await suite.system.startWorker();
  ofRevoked = await followAndRevoke(await startHeld('revoked'));
});
afterAll(() => suite.close());

const isReplay = (answer: Response) => answer.headers.get('idempotent-replayed') === 'true';
const quick = { input: script({ say: 'ok' }) };

/** A request whose run goes on until the counter lets `look:{label}` go. */
function held(label: string) {
  suite.system.counter.hold(`look:${label}`);
  return bodyOf(label);
}
const bodyOf = (label: string) => ({
  input: script(calls(['look', { label }]), { say: `${label} done` }),
});
const letGo = (label: string) => suite.system.counter.letGo(`look:${label}`);

/** Starts a run that is held in its tool, and waits until it is there. */
async function startHeld(label: string): Promise<string> {
  const answer = await suite.start(`"${label}"`, held(label));
  expect(answer.status).toBe(202);
  await eventually(() => expect(suite.system.counter.requests(`look:${label}`)).toBe(1));
  return `/v1/runs/agent-tester-${label}`;
}

async function ended(location: string): Promise<Record<string, unknown>> {
  return eventually(async () => {
    const answer = await suite.send('GET', location, { headers: { prefer: 'wait=5' } });
    const run = (await answer.json()) as Record<string, unknown>;
    expect(run['closedAt']).not.toBeNull();
    return run;
  });
}

async function followAndRevoke(location: string): Promise<typeof ofRevoked> {
  const { key, record } = await suite.keys.keys.create({
    tenant: 'default',
    scopes: ['read'],
    name: 'leaves',
  });
  const headers = { authorization: `Bearer ${key}` };
  const answer = await suite.send('GET', `${location}/events`, { headers });
  expect(answer.status).toBe(200);
  const read = readOn(answer);
  // Whoever waits for it hears of it.
  read.end.catch(() => undefined);
  await suite.keys.keys.revoke(record.prefix);
  return { key, read };
}

interface StreamEvent {
  event: string | undefined;
  id: string | undefined;
  data: string;
}

function parse(text: string): StreamEvent[] {
  const events: StreamEvent[] = [];
  createParser({ onEvent: ({ event, id, data }) => events.push({ event, id, data }) }).feed(text);
  return events;
}

/** Reads a stream to its end. */
async function follow(location: string, lastEventId?: string): Promise<StreamEvent[]> {
  const headers: Record<string, string> =
    lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const answer = await suite.send('GET', `${location}/events`, { headers });
  expect(answer.status).toBe(200);
  return parse(await answer.text());
}

const reopen = (location: string, lastEventId: string, method = 'GET') =>
  suite.send(method, `${location}/events`, { headers: { 'last-event-id': lastEventId } });

const stepsOf = (events: StreamEvent[]) => [
  ...new Set(events.flatMap(({ event, data }) => (event === 'step' ? [idOf(data)] : []))),
];
const idOf = (data: string) => (JSON.parse(data) as { id: string }).id;

describe('60 a caller who waits', () => {
  test('gets 200 and the result when the run ends in time', async () => {
    const answer = await suite.start('"fast"', quick, { headers: { prefer: 'wait=50' } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('preference-applied')).toBe('wait=50');
    expect(answer.headers.get('retry-after')).toBeNull();
    expect(await answer.json()).toMatchObject({ status: 'completed', result: 'ok' });
  });

  test('gets 202 and the run when it does not', async () => {
    const answer = await suite.start('"slow"', held('slow'), { headers: { prefer: 'wait=1' } });
    expect(answer.status).toBe(202);
    expect(answer.headers.get('preference-applied')).toBe('wait=1');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await answer.json()).toMatchObject({ status: 'running', closedAt: null });
    letGo('slow');
    expect(await ended('/v1/runs/agent-tester-slow')).toMatchObject({ result: 'slow done' });
  });
});

test('61 a caller who leaves while waiting leaves the run as it is', async () => {
  const leaving = new AbortController();
  const waiting = suite.start('"leaves"', held('leaves'), {
    headers: { prefer: 'wait=50' },
    signal: leaving.signal,
  });
  await eventually(() => expect(suite.system.counter.requests('look:leaves')).toBe(1));
  leaving.abort();
  await expect(waiting).rejects.toThrow(/abort/);
  const again = await suite.start('"leaves"', bodyOf('leaves'));
  expect([again.status, isReplay(again)]).toEqual([202, true]);
  letGo('leaves');
  expect(await ended('/v1/runs/agent-tester-leaves')).toMatchObject({ status: 'completed' });
  expect(suite.system.counter.requests('look:leaves')).toBe(1);
});

describe('62 a stream of events', () => {
  test('tells a run from its beginning, goes on after the last event, and ends', async () => {
    const location = await startHeld('stream');
    const whole = follow(location);
    letGo('stream');
    const events = await whole;
    expect(stepsOf(events)).toEqual(['t1.model', 't1.c0', 't2.model']);
    const end = JSON.parse(events.at(-1)?.data ?? '') as { runId: string };
    expect(end).toMatchObject({ result: 'stream done' });
    expect(events.at(-1)).toMatchObject({ event: 'end', id: `end/${end.runId}` });

    // After the end it is the same, from the beginning and from the middle.
    expect(stepsOf(await follow(location))).toEqual(['t1.model', 't1.c0', 't2.model']);
    const last = events.findLast(({ event }) => event === 'step');
    const resumed = await follow(location, last?.id);
    expect(stepsOf(resumed)).toContain('t2.model');
    expect(resumed.at(-1)).toMatchObject({ event: 'end' });
  });

  test('does not repeat what lies far back', async () => {
    const location = await startHeld('far');
    const since = Date.now();
    // Streams go back a second, since clocks differ.
    await eventually(() => expect(Date.now()).toBeGreaterThan(since + 2_500));
    letGo('far');
    await ended(location);
    const events = await follow(location);
    expect(stepsOf(events)).toContain('t1.model');
    const last = events.findLast(({ event }) => event === 'step');
    const resumed = await follow(location, last?.id);
    expect(stepsOf(resumed)).not.toContain('t1.model');
    expect(stepsOf(resumed)).toContain('t2.model');
  });

  test('has nothing more for whoever has the end, unless the run was resumed', async () => {
    const location = await startHeld('resumed');
    await suite.send('POST', `${location}/cancel`);
    await ended(location);
    const first = (await follow(location)).at(-1)?.id ?? '';
    expect((await reopen(location, first)).status).toBe(204);

    expect((await suite.send('POST', `${location}/resume`)).status).toBe(202);
    const again = reopen(location, first);
    expect((await again).status).toBe(200);
    letGo('resumed');
    const events = parse(await (await again).text());
    expect(stepsOf(events)).toEqual(['t1.model', 't1.c0', 't2.model']);
    const second = events.at(-1)?.id ?? '';
    expect(second).toMatch(/^end\/./);
    expect(second).not.toBe(first);
    expect((await reopen(location, second)).status).toBe(204);
    expect((await reopen(location, second, 'HEAD')).status).toBe(204);
    const old = await reopen(location, first);
    expect(parse(await old.text()).at(-1)).toMatchObject({ event: 'end', id: second });
  });

  test('answers HEAD at once, however long the run goes on', async () => {
    const location = await startHeld('head');
    const signal = AbortSignal.timeout(NET_MS);
    const answer = await suite.send('HEAD', `${location}/events`, { signal });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect((await suite.send('HEAD', '/v1/runs/agent-tester-none/events')).status).toBe(404);
    letGo('head');
  });
});

test('where a run runs is told to admins alone', async () => {
  // A run that was started, cancelled and resumed, and one that is under way.
  const [done, live] = ['/v1/runs/agent-tester-resumed', await startHeld('where')];
  const reader = { authorization: `Bearer ${await suite.keys.keyOf('default', ['read'])}` };
  for (const location of [done, live]) {
    const path = `${location}/steps`;
    const all = (await (await suite.send('GET', path)).json()) as Explained;
    const some = (await (await suite.send('GET', path, { headers: reader })).json()) as Explained;
    const rest = (step: object) => ({ ...step, leaseLeftMs: null, worker: null });
    expect(some.steps.map(rest)).toEqual(all.steps.map(rest));
    expect(Object.keys(some)).toEqual(Object.keys(all));
    const secrets = secretsIn(all);
    expect(secrets).toEqual(secrets.map(() => expect.stringMatching(/./)));
    expect(secretsIn(some)).toEqual(secrets.map(() => null));
    for (const secret of [...secrets.slice(2), all.ui]) {
      expect(JSON.stringify(some)).not.toContain(secret);
    }
  }
  const answer = await suite.send('GET', `${done}/events`, { headers: reader });
  const steps = parse(await answer.text()).filter(({ event }) => event === 'step');
  expect(steps.map(({ data }) => (JSON.parse(data) as { worker: null }).worker)).toEqual(
    steps.map(() => null),
  );
  expect(steps.length).toBeGreaterThan(0);
  letGo('where');
});

interface Explained {
  ui: string;
  namespace: string;
  executions: { startedBy: string; stopped: { by: string } | null }[];
  steps: { worker: string }[];
  live: { pending: { worker: string }[] } | null;
}
const secretsIn = ({ ui, namespace, executions, steps, live }: Explained) => [
  ui,
  namespace,
  ...executions.flatMap(({ startedBy, stopped }) => [startedBy, ...(stopped ? [stopped.by] : [])]),
  ...steps.map(({ worker }) => worker),
  ...(live?.pending ?? []).map(({ worker }) => worker),
];

test.each([
  ['unknown', 'handling=lenient, x-unheard-of; a=b', null],
  ['no number', 'wait=soon', null],
  ['negative', 'wait=-1', null],
  ['respond-async', 'Respond-Async', 'respond-async'],
  ['one known among unknown', 'a=1, wait=1; b=2, c', 'wait=1'],
])('63 a preference that is %s harms nothing', async (name, prefer, applied) => {
  const answer = await suite.start(`"63-${name}"`, quick, { headers: { prefer } });
  expect([200, 202]).toContain(answer.status);
  expect(answer.headers.get('preference-applied')).toBe(applied);
});

test('64 a run that HTTP started is found by the command, and the other way round', async () => {
  const env = { ...suite.system.env, TEST_AGENTS: 'of workers' };
  const input = JSON.stringify(quick.input);
  const start = (key: string) =>
    runCommand(['start', 'tester', '--key', key, '--input-json', input, '--json'], env);
  const overHttp = await suite.start('"k-64a"', quick);
  const { runId } = (await overHttp.json()) as { runId: string };
  const byCommand = await start('k-64a');
  expect(JSON.parse(byCommand.stdout)).toMatchObject({ runId, replayed: true });
  const first = JSON.parse((await start('k-64b')).stdout) as { runId: string };
  const second = await suite.start('"k-64b"', quick);
  expect(isReplay(second)).toBe(true);
  expect(await second.json()).toMatchObject({ runId: first.runId });
});

describe('an event', () => {
  const EVENTS = '/v1/agents/tester/events';
  const attributes = (source: string, id: string) => ({
    'ce-specversion': '1.0',
    'ce-id': id,
    'ce-source': source,
    'ce-type': 'ordered',
  });
  const binary = (
    source: string,
    id: string,
    data: unknown = { order: 1 },
    headers: Record<string, string> = {},
  ) =>
    suite.send('POST', EVENTS, {
      headers: { ...attributes(source, id), ...headers },
      ...(data === undefined ? {} : { body: data }),
    });
  const locationOf = (answer: Response) => answer.headers.get('location');

  test('65 that is delivered again starts nothing, in whatever form it comes', async () => {
    const first = await binary('/shop', 'e-65');
    const again = await binary('/shop', 'e-65');
    const changed = await binary('/shop', 'e-65', { order: 2 });
    const structured = await suite.send('POST', '/v1/agents/tester/events', {
      headers: { 'content-type': 'application/cloudevents+json' },
      body: {
        specversion: '1.0',
        id: 'e-65',
        source: '/shop',
        type: 'ordered',
        data: { order: 1 },
      },
    });
    const answers = [first, again, changed, structured];
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    expect(answers.map(isReplay)).toEqual([false, true, true, true]);
    expect(new Set(answers.map(locationOf)).size).toBe(1);
  });

  test('65 that is delivered again with other data is answered like any duplicate', async () => {
    const first = await binary('/shop', 'e-65b');
    const location = locationOf(first);
    const again = await binary('/shop', 'e-65b', { order: 2 }, { prefer: 'wait=50' });
    expect([again.status, isReplay(again), locationOf(again)]).toEqual([200, true, location]);
    expect(again.headers.get('preference-applied')).toBe('wait=50');
    expect(await again.json()).toMatchObject({ status: 'completed' });
    // What it carries on its way is no part of it.
    const way = { 'ce-traceparent': '00-1', 'ce-dataschema': 'https://a.example/order.json' };
    const traced = await binary('/shop', 'e-65b', { order: 1 }, way);
    expect([traced.status, isReplay(traced), locationOf(traced)]).toEqual([202, true, location]);
  });

  test('65 without data has no body, or an empty one', async () => {
    const type = { 'content-type': 'application/json' };
    const empty = await binary('/shop', 'e-65c', '', type);
    expect([empty.status, isReplay(empty)]).toEqual([202, false]);
    const none = await binary('/shop', 'e-65c', null);
    expect([none.status, isReplay(none), locationOf(none)]).toEqual([202, true, locationOf(empty)]);
    const headers = { 'content-type': 'application/cloudevents+json' };
    expect((await suite.send('POST', EVENTS, { headers, body: '' })).status).toBe(400);
  });

  test.each(['ce-id', 'CE-Source', 'ce-type', 'ce-traceparent'])(
    '65 with two lines of %s is refused',
    async (name) => {
      const { hostname, port } = new URL(suite.service.url);
      const all = { ...attributes('/shop', 'e-65d'), 'ce-traceparent': '00-1' };
      const lines = Object.entries({ authorization: `Bearer ${suite.key}`, ...all });
      const request = http.request({
        hostname,
        port,
        method: 'POST',
        path: EVENTS,
        headers: [...lines, [name, 'another']].flat(),
      });
      const [answer] = (await once(request.end(), 'response')) as [http.IncomingMessage];
      expect(answer.statusCode).toBe(400);
      expect(JSON.parse(await text(answer))).toMatchObject({ code: 'http.bad_request' });
    },
  );

  test('65 that is none is refused', async () => {
    const answer = await suite.send('POST', '/v1/agents/tester/events', { body: { order: 1 } });
    expect(answer.status).toBe(400);
  });

  test('66 with the ID of one of another source is another one', async () => {
    const [shop, bank] = [await binary('/shop', 'e-66'), await binary('/bank', 'e-66')];
    expect([isReplay(shop), isReplay(bank)]).toEqual([false, false]);
    expect(locationOf(bank)).not.toBe(locationOf(shop));
    // Nor do the two meet where the border between them lies elsewhere.
    const moved = await binary('/shop/e', '66');
    expect(isReplay(moved)).toBe(false);
  });
});

test('67 a request without a key is the same one until its window ends, and then a new one', async () => {
  const body = { input: script({ say: 'windowed' }) };
  const start = () => suite.send('POST', '/v1/agents/windowed/runs', { body });
  const first = await start();
  expect([first.status, isReplay(first)]).toEqual([202, false]);
  const { startedAt, runId } = (await first.json()) as { startedAt: string; runId: string };
  const windowEnds = Date.parse(startedAt) + WINDOW_SECONDS * 1_000;
  await ended(first.headers.get('location') ?? '');
  let replays = 0;
  for (;;) {
    const askedAt = Date.now();
    const answer = await start();
    expect(answer.status).toBe(202);
    if (!isReplay(answer)) break;
    expect(await answer.json()).toMatchObject({ runId });
    // A replay was asked for before the end of the window, a new run comes after it.
    expect(askedAt).toBeLessThan(windowEnds);
    replays += 1;
  }
  expect(Date.now()).toBeGreaterThanOrEqual(windowEnds);
  expect(replays).toBeGreaterThan(0);
});

test.each([
  'nonsense',
  '../../etc/passwd',
  '2026',
  '42',
  'order-2042',
  'nonsense 2030',
  '9'.repeat(20),
  '{"a":1}',
  'x'.repeat(2_000),
  'end',
  'end/',
  // Dates that none of its events has, before, after and outside of time.
  '-271821-04-20T00:00:00.000Z',
  '-271821-04-20T00:00:00.000Z/t1.c0',
  '+275760-09-13T00:00:00.000Z/t1.c0',
  '2099-01-01T00:00:00.000Z',
  '2099-01-01T00:00:00.000Z/t1.c0',
  '2026-99-99T99:99:99.999Z/t1.c0',
  '0000-00-00T00:00:00.000Z/t1.c0',
  '2099-01-01T00:00:00.000Z/t9.c9',
])(
  '68 a Last-Event-ID of nonsense (%s) gives the stream from its beginning',
  async (lastEventId) => {
    const events = await follow('/v1/runs/agent-tester-stream', lastEventId);
    expect(stepsOf(events)).toEqual(['t1.model', 't1.c0', 't2.model']);
    expect(events.at(-1)).toMatchObject({ event: 'end' });
  },
);

test('a stream ends soon after the API key that it was opened with was revoked', async () => {
  const { key, read } = ofRevoked;
  await read.end;
  expect(read.text).toContain('event: run');
  expect(read.text).not.toContain('event: end');
  // The run goes on, and the reader does not come back.
  const headers = { authorization: `Bearer ${key}` };
  const location = '/v1/runs/agent-tester-revoked';
  expect((await suite.send('GET', `${location}/events`, { headers })).status).toBe(401);
  expect(await (await suite.send('GET', location)).json()).toMatchObject({ status: 'running' });
  letGo('revoked');
});

test('69 200 read one run at once, and one whose connection is full holds up nobody', async () => {
  // Two turns, of which the first fills what lies between a stream and its connection.
  const turns = ['one', 'two'].map((turn) =>
    Array.from({ length: 50 }, (_, i) => `${turn}-${i}-${'x'.repeat(110)}`),
  );
  for (const label of turns[1] ?? []) suite.system.counter.hold(`look:${label}`);
  const looks = turns.map((labels) => calls(...labels.map((label) => asLook(label))));
  const crowd = await suite.start('"crowd"', { input: script(...looks, { say: 'done' }) });
  const location = crowd.headers.get('location') ?? '';

  // The slow one does not read. Ahead of its stream goes more than systems keep for a connection.
  const { hostname, port } = new URL(suite.service.url);
  const slow = net.connect(Number(port), hostname);
  slow.pause();
  const head = `HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${suite.key}\r\n`;
  slow.write(
    `${`GET ${LARGE_FILE} ${head}\r\n`.repeat(40)}GET ${location}/events ${head}Connection: close\r\n\r\n`,
  );

  const readers: ReturnType<typeof readOn>[] = [];
  // They come one after another, a few at once, and then all read at once.
  let coming = 0;
  const come = async (): Promise<void> => {
    while (coming++ < 199) {
      const answer = await suite.send('GET', `${location}/events`);
      expect(answer.status).toBe(200);
      readers.push(readOn(answer));
    }
  };
  await Promise.all(Array.from({ length: 20 }, come));
  await eventually(() => {
    for (const reader of readers) expect(secondTurn(reader, 'claimed')).toBe(50);
  });
  for (const label of turns[1] ?? []) letGo(label);
  for (const reader of readers) {
    await reader.end;
    expect(secondTurn(reader, 'completed')).toBe(50);
    expect(reader.text).toContain('event: end');
  }

  const late = { text: '' };
  slow.on('data', (chunk) => (late.text = (late.text + String(chunk)).slice(-500_000)));
  slow.resume();
  await once(slow, 'close');
  // What waited for it here was not kept: it gets the latest of each step.
  expect(secondTurn(late, 'claimed')).toBeLessThan(50);
  expect(secondTurn(late, 'completed')).toBe(50);
  expect(late.text).toContain('event: end');
});

/** Reads a stream as it comes. */
function readOn(answer: Response): { text: string; end: Promise<void> } {
  const reader = { text: '', end: Promise.resolve() };
  reader.end = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) {
      reader.text += decoder.decode(chunk as Uint8Array, { stream: true });
    }
  })();
  return reader;
}

/** Of how many calls of the second turn this state was told; a busy machine may try one again. */
const secondTurn = ({ text }: { text: string }, state: string): number => {
  const told = text.matchAll(new RegExp(`^data: \\{"id":"(t2\\.c\\d+)".*"state":"${state}"`, 'gm'));
  return new Set(Array.from(told, ([, id]) => id)).size;
};

/** More than a megabyte. */
const LARGE_FILE = '/docs/static/swagger-ui-bundle.js';

const asLook = (label: string): [string, { label: string }] => ['look', { label }];
