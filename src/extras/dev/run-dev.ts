import { startServiceProcess, startWorkerProcess, type ServiceAddress } from './app-processes.ts';
import { findFreePort } from './ports.ts';
import { stackEnvironment } from './stack-environment.ts';
import { startStack, type Stack, type StackOptions } from './stack.ts';

export interface DevOptions extends StackOptions {
  /** Whether a worker is started too. */
  worker: boolean;
  /** Where the HTTP service listens, 0: any free port; `undefined` leaves it out. */
  httpPort: number | undefined;
  /** Whether the worker and the service restart when their code changes. */
  reload: boolean;
  /** Stops everything in order. */
  signal: AbortSignal;
  /** Called once, when everything is ready; `http` is where the HTTP service is. */
  onReady: (stack: Stack, http: ServiceAddress | undefined) => void;
  /** What happens to the parts. */
  log: (line: string) => void;
  /** What the worker prints. */
  onWorkerLine: (line: string) => void;
  /** What the HTTP service prints. */
  onServiceLine: (line: string) => void;
}

/**
 * Runs a stack, with a worker and the HTTP service if wanted, until the signal. Resolves when all
 * has stopped.
 *
 * @throws {AgentOnceError} as `startStack`
 */
export async function runDev(options: DevOptions): Promise<void> {
  const { httpPort, reload, signal, log } = options;
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined));
  });
  const stack = await startStack(options);
  const stackEnv = stackEnvironment(stack);
  const stops: (() => Promise<void>)[] = [() => stack.stop()];
  try {
    const port = httpPort === 0 ? await findFreePort() : httpPort;
    // The worker's links lead to the service's pages: it is told where those will be.
    const links = port === undefined ? {} : { AGENT_ONCE_PUBLIC_URL: `http://127.0.0.1:${port}` };
    const env = { ...links, ...stackEnv };
    const starting: Promise<unknown>[] = [];
    let http: ServiceAddress | undefined;
    if (options.worker && !signal.aborted) {
      const worker = await startWorkerProcess({ env, reload, log, onLine: options.onWorkerLine });
      stops.push(() => worker.stop());
      starting.push(worker.ready);
    }
    if (port !== undefined && !signal.aborted) {
      const onLine = options.onServiceLine;
      const service = await startServiceProcess(port, { env, reload, log, onLine });
      stops.push(() => service.stop());
      starting.push(service.told.then((told) => (http = told)));
    }
    await Promise.race([Promise.all(starting), aborted]);
    if (!signal.aborted) options.onReady(stack, http);
    await aborted;
  } finally {
    // The service first, whose callers wait for answers; then the worker: steps under way still need
    // what they talk to.
    for (const stop of stops.toReversed()) await stop();
  }
}
