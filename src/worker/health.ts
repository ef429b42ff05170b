import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { answering } from '../client/probe.ts';
import type { Trouble } from './ledger-trouble.ts';
import { portProblem } from '../contract/port-problem.ts';

/** For the error where its port is taken. */
const WHAT = "the worker's health should be told";
const ADVICE =
  'Stop what listens there, or choose another with --health-port or AGENT_ONCE_HEALTH_PORT';

/** What is told: the state of each task queue's worker, and what stands between it and the ledger. */
export interface Health {
  workers: (readonly [taskQueue: string, state: string])[];
  trouble: Trouble | undefined;
}

/** Asks what a worker cannot do without, by name; rejects where it does not answer. */
export type Needs = Record<string, () => Promise<unknown>>;

/**
 * Answers three questions with 200 or 503, and what it knows as JSON:
 *
 * - `GET /livez`: whether the process can go on. A worker of it that has failed cannot.
 * - `GET /readyz`: whether it does its work now: as `/healthz`, and all that it needs answers within two
 *   seconds.
 * - `GET /healthz`: whether every worker of the process runs and the ledger neither refuses it nor lacks
 *   what runs have recorded. A ledger that is away for everybody is no reason: whoever restarts workers
 *   for it has none when it comes back.
 *
 * Whoever asks a process that stops hears so from the last two: its port does not close at once, also
 * where there is nothing to wait for.
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
  needs: Needs,
  stopping: AbortSignal,
  drainMs: number,
): Promise<() => Promise<void>> {
  let drained: Promise<unknown> = Promise.resolve();
  const begin = (): void => {
    drained = sleep(drainMs);
  };
  if (stopping.aborted) begin();
  stopping.addEventListener('abort', begin, { once: true });
  const asked = Object.entries(needs).map(([name, ask]) => [name, answering(ask)] as const);
  const tell = async (url: string | undefined): Promise<[status: number, told: object]> => {
    const { workers, trouble } = read();
    const running =
      !stopping.aborted && workers.length > 0 && workers.every(([, state]) => state === 'RUNNING');
    const healthy = running && (trouble === undefined || trouble.what === 'unreachable');
    const states = Object.fromEntries(workers);
    const statusOf = (good: boolean): number => (good ? 200 : 503);
    switch (url) {
      case '/livez': {
        const live = workers.every(([, state]) => state !== 'FAILED');
        return [statusOf(live), { live, workers: states }];
      }
      case '/readyz': {
        const answers = await Promise.all(asked.map(async ([name, ask]) => [name, await ask()]));
        const ready = healthy && answers.every(([, answered]) => answered);
        return [statusOf(ready), { ready, workers: states, answers: Object.fromEntries(answers) }];
      }
      case '/healthz': {
        // Without the error itself: it names the ledger, and anybody may ask here.
        const ledger = trouble && { [trouble.what]: `since ${trouble.since.toISOString()}` };
        return [statusOf(healthy), { healthy, workers: states, ledger }];
      }
      default:
        return [404, { error: 'Only /livez, /readyz and /healthz are here.' }];
    }
  };
  const server = createServer((request, response) => {
    void tell(request.url).then(([status, told]) => {
      response.writeHead(status, {
        'content-type': 'application/json',
        'cache-control': 'no-store',
      });
      response.end(JSON.stringify(told));
    });
  });
  // All interfaces: an orchestrator's probe comes from outside the container.
  await new Promise<void>((resolve, reject) => {
    server
      .once('error', (error) => reject(portProblem(port, WHAT, ADVICE, error)))
      .listen(port, resolve);
  });
  return async () => {
    await drained;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  };
}
