import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { app } from '../../../../app/compose.ts';
import '../../pages.ts';
import { signalProcess } from '../../../dev/child-process.ts';
import { devSuite } from '../../../dev/test/dev-suite.ts';
import { listProcesses, waitUntil, type Spawned } from '../../../dev/test/processes.ts';

describe('the HTTP service in agent-once dev', () => {
  const suite = devSuite();
  const { folder } = suite;
  const dev = (name: string, ...args: string[]): Spawned =>
    suite.dev(path.join(folder(), name), '--no-reload', ...args);

  /** URLs that the service told when it became ready, one for each of its processes. */
  const told = ({ stderr }: Spawned) =>
    [...stderr().matchAll(/The service is ready: (http:\S+\d)/g)].map(([, url]) => url);

  test('the ready line has its URL, runs start there, and Ctrl-C leaves nothing behind', async () => {
    const stack = dev('whole', '--json');
    const ready = JSON.parse(await stack.firstLine) as { http: string } & Record<string, unknown>;
    const { http } = ready;
    expect(http).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    for (const { path: page } of app.extras.flatMap((extra) => extra.pages ?? [])) {
      expect(ready[page.slice(1)]).toBe(http + page);
      expect((await fetch(http + page)).status).toBe(200);
    }
    expect((await fetch(`${http}/readyz`)).status).toBe(200);

    // None is left where the example was removed.
    const agent = (await app.agents())[0]?.name;
    const start = (headers: Record<string, string>) =>
      fetch(`${http}/v1/agents/${agent ?? 'nobody'}/runs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': 'dev-1', ...headers },
        body: JSON.stringify({ input: 'Refund 25 EUR of order 1042' }),
      });
    if (agent === undefined) {
      expect((await start({})).status).toBe(404);
    } else {
      const first = await start({ prefer: 'wait=30' });
      expect(first.status).toBe(200);
      expect(await first.json()).toMatchObject({ agent, key: 'dev-1', status: 'completed' });
      const again = await start({});
      expect(again.headers.get('idempotent-replayed')).toBe('true');
    }

    const service = await findService(stack);
    stack.process.kill('SIGINT');
    expect(await stack.ended).toBe(0);
    expect(stack.stderr()).not.toMatch(/ended unexpectedly|another one in/);
    expect((await listProcesses()).map(({ pid }) => pid)).not.toContain(service);
    await expect(fetch(`${http}/healthz`)).rejects.toThrow('fetch failed');
  });

  test('it ends with a dev that is killed, and one that dies comes back where it was', async () => {
    const stack = dev('killed', '--json', '--no-worker');
    const { http } = JSON.parse(await stack.firstLine) as { http: string };
    signalProcess(await findService(stack), 'SIGKILL');
    await waitUntil('another one is ready', () => told(stack).length === 2);
    expect(told(stack)).toEqual([http, http]);
    expect((await fetch(`${http}/healthz`)).status).toBe(200);

    const service = await findService(stack);
    stack.process.kill('SIGKILL');
    await waitUntil('the service is gone', async () =>
      (await listProcesses()).every(({ pid }) => pid !== service),
    );
  });

  test('people are told where it is, and that it is open', async () => {
    const stack = dev('told', '--no-worker');
    await waitUntil('all is described', () => stack.stdout().includes('Ctrl-C'));
    expect(stack.stdout()).toContain(`HTTP         ${told(stack)[0]}, its pages: `);
    expect(stack.stdout()).toContain('HTTP is OPEN');
  });

  test('--no-http leaves it out', async () => {
    const stack = dev('without', '--json', '--no-worker', '--no-http');
    const ready = JSON.parse(await stack.firstLine) as object;
    expect(ready).toMatchObject({ ready: true });
    expect(ready).not.toHaveProperty('http');
    expect(told(stack)).toEqual([]);
  });

  test('its port in use ends all with the flag to change', async () => {
    const holder = createServer();
    const port = await new Promise<number>((resolve) =>
      holder.listen(0, '127.0.0.1', () => {
        const address = holder.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      }),
    );
    try {
      const stack = dev('taken', '--json', '--no-worker', '--http-port', String(port));
      expect(await stack.ended).toBe(2);
      expect(JSON.parse(stack.stdout())).toMatchObject({ error: { code: 'port.in_use' } });
      expect(stack.stderr()).toContain('--http-port');
      expect(stack.stderr()).toContain(String(port));
    } finally {
      holder.close();
    }
  });
});

/** The process of the service that a dev runs. */
async function findService(dev: Spawned): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=,args=']);
  const [found] = [...stdout.matchAll(/^ *(\d+) +(\d+) .* serve --open/gm)].filter(
    ([, , parent]) => Number(parent) === dev.pid,
  );
  if (found === undefined) throw new Error('The service has no process.');
  return Number(found[1]);
}
