import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { portProblem } from '../../contract/port-problem.ts';

/** For the error where its port is taken. */
const WHAT = 'the metrics should be told';
const ADVICE =
  'Each process of a machine needs one of its own: stop what listens there, or choose another with AGENT_ONCE_METRICS_PORT';

/** Temporal's core answers at once; it must not hold up a scrape. */
const CORE_MS = 2_000;

/**
 * Answers `GET /metrics` with those of the registry, and behind them those of Temporal's core.
 *
 * @param port 0: any free one
 * @param core where Temporal's core tells its own, on this machine; absent: there is none
 * @throws {AgentOnceError} `port.in_use`
 */
export async function startMetricsServer(
  port: number,
  registry: Registry,
  core?: number,
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    if (request.url?.split('?')[0] !== '/metrics' || request.method !== 'GET') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('Only /metrics is here.\n');
      return;
    }
    tell(registry, core).then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  // All interfaces: who scrapes is on another machine.
  await new Promise<void>((resolve, reject) => {
    server
      .once('error', (error) => reject(portProblem(port, WHAT, ADVICE, error)))
      .listen(port, resolve);
  });
  // A command that fails at its start ends in spite of it.
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function tell(registry: Registry, core: number | undefined): Promise<string> {
  const [own, theirs] = await Promise.all([registry.metrics(), askCore(core)]);
  return `${own}\n${theirs}`;
}

/** Nothing while the worker is not there yet. */
async function askCore(port: number | undefined): Promise<string> {
  if (port === undefined) return '';
  try {
    const signal = AbortSignal.timeout(CORE_MS);
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal });
    // The end of its document is not the end of ours.
    return (await response.text()).replace(/^# EOF\n?/m, '');
  } catch {
    return '';
  }
}

/** A port of this machine that nobody uses at this moment. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
