import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const PROGRAM = path.resolve(import.meta.dirname, '../../../bin/health-check.js');

const servers: Server[] = [];
/** Ports of processes that are well, that are not, that do not answer, and of nobody. */
let well: string, ill: string, frozen: string, nobody: string;

beforeAll(async () => {
  const listen = async (status?: number): Promise<string> => {
    const server = createServer((request, response) => {
      if (status !== undefined) response.writeHead(request.url === '/healthz' ? status : 404).end();
    });
    servers.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    return String((server.address() as AddressInfo).port);
  };
  [well, ill, frozen, nobody] = await Promise.all([listen(200), listen(503), listen(), listen()]);
  servers.pop()?.close();
});
afterAll(() => {
  for (const server of servers) server.close().closeAllConnections();
});

async function check(ports: string[], env: Record<string, string> = {}): Promise<unknown> {
  const child = spawn(process.execPath, [PROGRAM, ...ports], { env: { ...process.env, ...env } });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

test('a container is well when what listens in it says so', async () => {
  expect(await check([well, nobody])).toBe(0);
  expect(await check([nobody, well])).toBe(0);
});

test('it is not when a process says that it is not, does not answer, or is not there', async () => {
  expect(await check([ill, nobody])).toBe(1);
  expect(await check([well, ill])).toBe(1);
  expect(await check([frozen, well])).toBe(1);
  expect(await check([nobody])).toBe(1);
});

test("without arguments the worker's port is the one that it was given", async () => {
  expect(await check([], { AGENT_ONCE_HEALTH_PORT: ill })).toBe(1);
});
