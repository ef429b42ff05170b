import { createServer, type Server } from 'node:net';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { findFreePort, isPortFree, requireFreePort } from '../ports.ts';
import { NET_MS } from '../../../../test/support/nets.ts';

const use = { part: 'Temporal', flag: '--temporal-port' };
let occupant: Server | undefined;

async function occupy(port: number): Promise<Server> {
  const server = createServer();
  occupant = server;
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

afterEach(async () => {
  await new Promise<void>((resolve) => (occupant ? occupant.close(() => resolve()) : resolve()));
  occupant = undefined;
});

describe('ports', () => {
  test('a port in use is an error that names the flag for another one', async () => {
    const port = await findFreePort();
    await expect(requireFreePort(port, use)).resolves.toBeUndefined();
    await occupy(port);
    expect(await isPortFree(port)).toBe(false);
    await expect(requireFreePort(port, use)).rejects.toMatchObject({
      code: 'port.in_use',
      exitCode: 2,
      message: expect.stringMatching(new RegExp(`127\\.0\\.0\\.1:${port}.*--temporal-port`)),
    });
  });

  test('a port that is freed within the waiting time is fine', async () => {
    const port = await findFreePort();
    const server = await occupy(port);
    const waiting = requireFreePort(port, use, NET_MS);
    server.close();
    await expect(waiting).resolves.toBeUndefined();
  });
});

// https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt
(process.platform === 'linux' ? test : test.skip)(
  'a free port is kept from others who ask for any, and not from who asks for it',
  async () => {
    const port = await findFreePort();
    const timeWait = new RegExp(`: 0100007F:${port.toString(16).toUpperCase()} \\S+ 06 `);
    expect(readFileSync('/proc/net/tcp', 'utf8')).toMatch(timeWait);
    expect(await isPortFree(port)).toBe(true);
  },
);
