import { connect, createServer, type Server } from 'node:net';
import { AgentOnceError } from '../../contract/errors.ts';

const LOCALHOST = '127.0.0.1';

/** Which part wants a port, and how its user chooses another one. */
export interface PortUse {
  /** `Temporal`, `PostgreSQL` … */
  part: string;
  /** `--temporal-port` … */
  flag: string;
}

/**
 * A port that was free a moment ago. A connection to it was closed by its server, and the system
 * remembers that (TIME_WAIT): for a minute it gives the port to nobody who asks for any, and leaves
 * it to a server that asks for this one. Otherwise two servers that start at the same time may get
 * one port, and the first would be taken for the second. Somebody else may still have chosen it by
 * its number: whoever needs a port that was found this way tries again with another one.
 */
export async function findFreePort(): Promise<number> {
  const port = await listenBriefly(0, closeAConnection);
  if (port === undefined) throw new AgentOnceError('port.in_use', 'No port is free on 127.0.0.1.');
  return port;
}

export async function isPortFree(port: number): Promise<boolean> {
  return (await listenBriefly(port)) !== undefined;
}

/**
 * Waits up to `waitMs` for a port to become free: a server that was just stopped may need a moment.
 *
 * @throws {AgentOnceError} `port.in_use`, with the flag that chooses another port.
 */
export async function requireFreePort(port: number, use: PortUse, waitMs = 0): Promise<void> {
  const deadline = Date.now() + waitMs;
  while (!(await isPortFree(port))) {
    if (Date.now() >= deadline) throw portInUse(port, use);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export function portInUse(port: number, use: PortUse): AgentOnceError {
  return new AgentOnceError(
    'port.in_use',
    `Another process listens on 127.0.0.1:${port}, which ${use.part} needs. Stop that process, or ` +
      `choose another port with ${use.flag} (0 takes any free one).`,
  );
}

/** Listens and stops again; resolves to the port, or to `undefined` if it is taken. */
function listenBriefly(
  port: number,
  meanwhile: (server: Server, port: number) => Promise<void> = () => Promise.resolve(),
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(undefined);
      else reject(error);
    });
    server.listen({ port, host: LOCALHOST, exclusive: true }, () => {
      const address = server.address();
      const found = typeof address === 'object' && address !== null ? address.port : undefined;
      const done = found === undefined ? Promise.resolve() : meanwhile(server, found);
      done.then(() => server.close(() => resolve(found)), reject);
    });
  });
}

/** Whoever closes first has the address in TIME_WAIT: here it is the server. */
function closeAConnection(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('connection', (socket) => socket.end());
    const socket = connect(port, LOCALHOST);
    socket.once('error', reject);
    socket.once('close', () => resolve());
    socket.resume();
  });
}
