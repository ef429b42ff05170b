import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findFreePort } from '../../../dev/ports.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import { startHttpSuite, type HttpSuite } from '../support/http-suite.ts';
import { startTcpProxy } from '../../../../../test/support/tcp-proxy.ts';
import { within } from '../../../../../test/support/within.ts';

let suite: HttpSuite;

beforeAll(async () => {
  suite = await startHttpSuite();
});
afterAll(() => suite.close());

/** Over a connection of its own, as a probe asks. */
async function probe(url: string): Promise<{ status: number; connection: string | undefined }> {
  const request = http.get(url, { agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  return { status: response.statusCode ?? 0, connection: response.headers.connection };
}

test('a service that stops says so to new connections, and answers them, before it takes no more', async () => {
  const service = await suite.startAnother({ AGENT_ONCE_DRAIN: '5s' });
  const ready = `${service.url}/readyz`;
  expect((await probe(ready)).status).toBe(200);
  process.kill(service.pid, 'SIGTERM');
  await eventually(async () =>
    expect(await probe(ready)).toEqual({ status: 503, connection: 'close' }),
  );
  const started = await suite.start('"late"', { input: 'late' }, { service });
  expect(started.status).toBe(202);
  expect((await probe(`${service.url}/healthz`)).status).toBe(200);
  await eventually(async () => {
    await expect(probe(ready)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

test('a service whose ledger is frozen is not ready, and live', async () => {
  const ledger = new URL(suite.system.env['LEDGER_URL'] ?? '');
  const way = await startTcpProxy(ledger.host);
  try {
    ledger.host = way.address;
    const { url } = await suite.startAnother({ LEDGER_URL: ledger.href });
    const ready = async () => (await fetch(`${url}/readyz`)).json();
    expect(await ready()).toEqual({ ready: true, temporal: true, ledger: true });
    way.holdAnswers();
    // An answer is known for a second.
    await eventually(async () =>
      expect(await ready()).toEqual({ ready: false, temporal: true, ledger: false }),
    );
    expect((await probe(`${url}/livez`)).status).toBe(200);
    way.cut();
    await eventually(async () => expect(await ready()).toMatchObject({ ready: true }));
  } finally {
    await way.stop();
  }
});

test('a worker that stops says so at its health port, also when it has nothing to end', async () => {
  const port = await findFreePort();
  const worker = await suite.system.startWorker({
    AGENT_ONCE_HEALTH_PORT: String(port),
    AGENT_ONCE_DRAIN: '5s',
  });
  const health = `http://127.0.0.1:${port}/healthz`;
  expect((await probe(health)).status).toBe(200);
  process.kill(worker.pid, 'SIGTERM');
  await eventually(async () => expect((await probe(health)).status).toBe(503));
  // Its work was over long before.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect((await probe(health)).status).toBe(503);
  expect(await worker.untilEnded()).toBe(0);
});

test('a service whose log is on a full disk goes on', async () => {
  const full = openSync('/dev/full', 'w');
  const bin = fileURLToPath(new URL('../../../../../bin/agent-once.js', import.meta.url));
  const child = spawn(process.execPath, [bin, 'serve', '--open', '--port', '0'], {
    env: { PATH: process.env['PATH'] ?? '', ...suite.system.env },
    stdio: ['ignore', full, 'pipe'],
  });
  let said = '';
  child.stderr?.on('data', (chunk) => (said += String(chunk)));
  const ended = once(child, 'exit');
  try {
    const url = await eventually(() => {
      const found = /ready: (http:\S+\d),/.exec(said)?.[1];
      if (found === undefined) throw new Error(`It wrote: ${said}`);
      return found;
    });
    for (let i = 0; i < 3; i++) expect((await probe(`${url}/healthz`)).status).toBe(200);
    child.kill('SIGTERM');
    const [code] = await within(ended, () => 'the service ended');
    expect(code).toBe(0);
  } finally {
    child.kill('SIGKILL');
    closeSync(full);
  }
});
