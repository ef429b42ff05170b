import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentOnceError } from '../contract/errors.ts';
import type { Trouble } from './ledger-trouble.ts';

/** What is told: the state of each task queue's worker, and what stands between it and the ledger. */
export interface Health {
  workers: (readonly [taskQueue: string, state: string])[];
  trouble: Trouble | undefined;
}

/**
 * Answers `GET /healthz`: 200 while every worker of the process runs and the ledger neither refuses it
 * nor lacks what runs have recorded, 503 otherwise (starting, draining, failed, refused, restored), with
 * their states as JSON. A ledger that is away for everybody is no reason: whoever restarts workers for
 * it has none when it comes back. Whoever asks a process that stops hears so: its port does not close
 * at once, also where there is nothing to wait for.
 *
 * @param port 0: any free one
 * @param stopping aborts when the process is told to stop
 * @param drainMs for how long the port says so then, at least
 * @returns what closes the port
 * @throws {AgentOnceError} `port.in_use`
 */
export async function startHealthServer(
  port: number,
  read: () => Health,
  stopping: AbortSignal,
  drainMs: number,
): Promise<() => Promise<void>> {
  let drained: Promise<unknown> = Promise.resolve();
  const begin = (): void => {
    drained = sleep(drainMs);
  };
  if (stopping.aborted) begin();
  stopping.addEventListener('abort', begin, { once: true });
  const server = createServer((request, response) => {
    const found = request.url === '/healthz';
    const { workers, trouble } = read();
    const running =
      !stopping.aborted && workers.length > 0 && workers.every(([, state]) => state === 'RUNNING');
    const healthy = running && (trouble === undefined || trouble.what === 'unreachable');
    response.writeHead(found ? (healthy ? 200 : 503) : 404, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
    });
    // Without the error itself: it names the ledger, and anybody may ask here.
    const ledger = trouble && { [trouble.what]: `since ${trouble.since.toISOString()}` };
    const told = { healthy, workers: Object.fromEntries(workers), ledger };
    response.end(JSON.stringify(found ? told : { error: 'Only /healthz is here.' }));
  });
  // All interfaces: an orchestrator's probe comes from outside the container.
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(portProblem(port, error))).listen(port, resolve);
  });
  return async () => {
    await drained;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  };
}

function portProblem(port: number, error: NodeJS.ErrnoException): Error {
  if (error.code !== 'EADDRINUSE') return error;
  return new AgentOnceError(
    'port.in_use',
    `Port ${port}, where the worker's health should be told, is in use. Stop what listens there, or choose another with --health-port or AGENT_ONCE_HEALTH_PORT (0: any free one).`,
    { cause: error },
  );
}
