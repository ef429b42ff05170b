import { once } from 'node:events';
import net from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTcpProxy, type TcpProxy } from '../../../../../test/support/tcp-proxy.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import { startHttpSuite, type HttpSuite } from '../support/http-suite.ts';
import type { TestService } from '../support/service.ts';
import { postgresUrl, temporalAddress } from '../../../../../test/support/servers.ts';
import { script } from '../../../../../test/support/system.ts';

let suite: HttpSuite;
/** Between each process of the service and its servers. */
let temporal: TcpProxy;
let ledger: TcpProxy;

beforeAll(async () => {
  temporal = await startTcpProxy(temporalAddress());
  ledger = await startTcpProxy(new URL(postgresUrl()).host);
  suite = await startHttpSuite(({ env }) => ({
    TEMPORAL_ADDRESS: temporal.address,
    LEDGER_URL: (env['LEDGER_URL'] ?? '').replace(new URL(postgresUrl()).host, ledger.address),
  }));
});
afterAll(async () => {
  await suite.close();
  await temporal.stop();
  await ledger.stop();
});

const body = { input: script({ say: 'ok' }) };
const isReplay = (answer: Response) => answer.headers.get('idempotent-replayed') === 'true';
const runIdOf = async (answer: Response) => ((await answer.json()) as { runId: string }).runId;

/** The run ID, once Temporal has the run. */
const arrived = (key: string): Promise<string> =>
  eventually(async () => {
    const handle = suite.system.temporal.workflow.getHandle(`agent-tester-${key}`);
    return (await handle.describe()).runId;
  });

/** Sends the head of a request and some of its body; the rest when called, and then waits for the end. */
function slowRequest(
  { url }: TestService,
  key: string,
  connection: string,
  rest?: 'never',
): () => Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = net.connect(Number(port), hostname);
  const text = JSON.stringify(body);
  const head = [
    'POST /v1/agents/tester/runs HTTP/1.1',
    `Host: ${hostname}`,
    `Connection: ${connection}`,
    `Authorization: Bearer ${suite.key}`,
    'Content-Type: application/json',
    `Idempotency-Key: "${key}"`,
    `Content-Length: ${text.length}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${text.slice(0, 5)}`);
  let answer = '';
  socket.on('data', (chunk) => (answer += String(chunk)));
  return async () => {
    if (rest !== 'never') socket.write(text.slice(5));
    await once(socket, 'close');
    return answer;
  };
}

/** Sent when the suite begins, and never whole: the time that it has runs beside the other tests. */
let unfinished: Promise<string>;
beforeAll(() => {
  unfinished = slowRequest(suite.service, 'k-34-never', 'keep-alive', 'never')();
});

test('29 a service that is killed between the start and its answer: the same key finds the run', async () => {
  const service = await suite.startAnother();
  temporal.holdAnswers();
  const lost = suite.start('"k-29"', body, { service }).then(
    () => 'answered',
    () => 'lost',
  );
  const runId = await arrived('k-29');
  await service.kill();
  expect(await lost).toBe('lost');
  temporal.cut();
  const again = await suite.start('"k-29"', body);
  expect([again.status, isReplay(again)]).toEqual([202, true]);
  expect(await runIdOf(again)).toBe(runId);
});

test('30 an answer that is lost on its way: the same key finds the run', async () => {
  const between = await startTcpProxy(new URL(suite.service.url).host);
  try {
    const service = { ...suite.service, url: `http://${between.address}` };
    between.holdAnswers();
    const lost = suite.start('"k-30"', body, { service }).then(
      () => 'answered',
      () => 'lost',
    );
    const runId = await arrived('k-30');
    between.cut();
    expect(await lost).toBe('lost');
    const again = await suite.start('"k-30"', body, { service });
    expect([again.status, isReplay(again)]).toEqual([202, true]);
    expect(await runIdOf(again)).toBe(runId);
  } finally {
    await between.stop();
  }
});

/** What a part's absence is answered with; nothing in it is of the service's own surroundings. */
async function expectUnavailable(answer: Response, code: string): Promise<void> {
  expect(answer.status).toBe(503);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  const text = await answer.text();
  expect(JSON.parse(text)).toMatchObject({ code });
  expect(text).not.toMatch(/127\.0\.0\.1|agent-once |[A-Z]_URL/);
}

/** How long callers would wait for a run. */
const WAIT_SECONDS = 50;

test('31 while Temporal is away the answer is 503, and the same key later starts the run', async () => {
  temporal.refuse();
  const began = Date.now();
  const path = '/v1/runs/agent-tester-k-31';
  const ready = suite.send('GET', '/readyz');
  const answers = await Promise.all([
    suite.start('"k-31"', body),
    suite.start('"k-31"', body, { headers: { prefer: `wait=${WAIT_SECONDS}` } }),
    suite.send('GET', path),
    suite.send('GET', '/v1/runs'),
    suite.send('GET', `${path}/steps`),
    suite.send('GET', `${path}/events`),
    suite.send('POST', `${path}/cancel`),
  ]);
  for (const answer of answers) await expectUnavailable(answer, 'temporal.unreachable');
  expect((await ready).status).toBe(503);
  // A caller who would wait for the run is not kept waiting for Temporal.
  expect(Date.now() - began).toBeLessThan(WAIT_SECONDS * 1_000);
  temporal.cut();
  const later = await eventually(async () => {
    const answer = await suite.start('"k-31"', body);
    expect(answer.status).toBe(202);
    return answer;
  });
  expect(isReplay(later)).toBe(false);
});

test('32 while the ledger is away no API key is refused, and what needs neither goes on', async () => {
  const service = await suite.startAnother({ TEST_OPEN: '1' });
  // One that was used a moment ago might be remembered.
  const fresh = await suite.keys.keyOf();
  ledger.refuse();
  for (const apiKey of [fresh, 'ao_none']) {
    const headers = { authorization: `Bearer ${apiKey}` };
    await expectUnavailable(await suite.start('"k-32"', body, { headers }), 'ledger.unreachable');
  }

  // Without API keys a start needs Temporal alone.
  const started = await suite.start('"k-32"', body, { service });
  expect([started.status, isReplay(started)]).toEqual([202, false]);
  const path = started.headers.get('location') ?? '';
  expect((await suite.send('GET', path, { service })).status).toBe(200);
  const steps = await suite.send('GET', `${path}/steps`, { service });
  await expectUnavailable(steps, 'ledger.unreachable');
  // The reader of a stream comes back by itself.
  const events = await suite.send('GET', `${path}/events`, { service });
  expect(await events.text()).not.toContain('event: end');

  ledger.cut();
  const again = await suite.start('"k-32"', body);
  expect([again.status, isReplay(again)]).toEqual([202, true]);
  expect(await runIdOf(again)).toBe(await runIdOf(started));
  expect((await suite.send('GET', `${path}/steps`)).status).toBe(200);
});

test('18 hundred requests at once do not queue for a ledger that is slow with API keys', async () => {
  const headers = { authorization: `Bearer ${await suite.keys.keyOf()}` };
  ledger.delay(300);
  try {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => suite.start('"k-18"', 'no JSON', { headers })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([400]));
  } finally {
    ledger.delay(0);
  }
});

test('34 a client that is slow with its body holds up nobody, and is answered', async () => {
  const finish = slowRequest(suite.service, 'k-34', 'close');
  const other = await suite.start('"k-34"', body);
  expect([other.status, isReplay(other)]).toEqual([202, false]);
  const answer = await finish();
  expect(answer).toMatch(/^HTTP\/1\.1 202 /);
  expect(answer).toMatch(/\r\nidempotent-replayed: true\r\n/i);
});

test('35 a service that stops answers who waits, and the same key finds the run', async () => {
  const service = await suite.startAnother();
  const waiting = suite.start('"k-35"', body, {
    service,
    headers: { prefer: `wait=${WAIT_SECONDS}` },
  });
  const runId = await arrived('k-35');
  await service.stop();
  const answer = await waiting;
  expect(answer.status).toBe(503);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await answer.json()).toMatchObject({ code: 'http.stopping' });
  const again = await suite.start('"k-35"', body);
  expect([again.status, isReplay(again)]).toEqual([202, true]);
  expect(await runIdOf(again)).toBe(runId);
});

test('35 a request that is still being sent when the service stops is answered, and its connection closed', async () => {
  const service = await suite.startAnother();
  const finish = slowRequest(service, 'k-35-slow', 'keep-alive');
  // A second one on a connection of its own: the first has arrived by its answer.
  await suite.start('"k-35-other"', body, { service });
  const stopped = service.stop();
  await eventually(async () => {
    await expect(fetch(service.url)).rejects.toThrow('fetch failed');
  });
  expect(await finish()).toMatch(/^HTTP\/1\.1 202 /);
  await stopped;
});

test('33 without a worker a run is accepted, and done when one comes', async () => {
  const accepted = await suite.start('"k-33"', body, { headers: { prefer: 'wait=1' } });
  expect(accepted.status).toBe(202);
  expect(await accepted.json()).toMatchObject({ status: 'running', closedAt: null });
  await suite.system.startWorker();
  const done = await suite.start('"k-33"', body, { headers: { prefer: `wait=${WAIT_SECONDS}` } });
  expect([done.status, isReplay(done)]).toEqual([200, true]);
  expect(await done.json()).toMatchObject({ status: 'completed', result: 'ok' });
});

test('34 a request that does not come whole is given up, as one to send again', async () => {
  const answer = await unfinished;
  expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  expect(answer).toMatch(/\r\nx-content-type-options: nosniff\r\n/i);
  expect(answer).toContain('"code":"http.request_timeout"');
  const again = await suite.start('"k-34-never"', body);
  expect([again.status, isReplay(again)]).toEqual([202, false]);
});
