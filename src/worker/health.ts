import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AgentOnceError } from '../contract/errors.ts';

export interface HealthServer {
  port: number;
  close(): Promise<void>;
}

/**
 * Answers `GET /healthz`: 200 while every worker of the process runs, 503 otherwise (starting,
 * draining, failed), with their states as JSON.
 *
 * @param port 0: any free one
 * @throws {AgentOnceError} `port.in_use`
 */
export async function startHealthServer(
  port: number,
  states: () => Record<string, string>,
): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const found = request.url === '/healthz';
    const workers = states();
    const list = Object.values(workers);
    const healthy = list.length > 0 && list.every((state) => state === 'RUNNING');
    response.writeHead(found ? (healthy ? 200 : 503) : 404, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
    });
    response.end(
      JSON.stringify(found ? { healthy, workers } : { error: 'Only /healthz is here.' }),
    );
  });
  // All interfaces: an orchestrator's probe comes from outside the container.
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(portProblem(port, error))).listen(port, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
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
