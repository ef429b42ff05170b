import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HealthServer {
  port: number;
  close(): Promise<void>;
}

/**
 * Answers `GET /healthz`: 200 while every worker of the process runs, 503 otherwise (starting,
 * draining, failed), with their states as JSON.
 *
 * @param port 0: any free one
 */
export async function startHealthServer(
  port: number,
  states: () => Record<string, string>,
): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const found = request.url === '/healthz';
    const workers = states();
    const healthy = Object.values(workers).every((state) => state === 'RUNNING');
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
    server.once('error', reject).listen(port, resolve);
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
