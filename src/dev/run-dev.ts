import { stackEnvironment } from './stack-environment.ts';
import { startStack, type Stack, type StackOptions } from './stack.ts';
import { startWorkerProcess, type WorkerProcess } from './worker-process.ts';

export interface DevOptions extends StackOptions {
  /** Whether a worker is started too. */
  worker: boolean;
  /** Whether the worker restarts when its code changes. */
  reload: boolean;
  /** Stops everything in order. */
  signal: AbortSignal;
  /** Called once, when everything is ready, the worker included. */
  onReady: (stack: Stack) => void;
  /** What happens to the parts. */
  log: (line: string) => void;
  /** What the worker prints. */
  onWorkerLine: (line: string) => void;
}

/**
 * Runs a stack, with a worker if wanted, until the signal. Resolves when all has stopped.
 *
 * @throws {AgentOnceError} as `startStack`
 */
export async function runDev(options: DevOptions): Promise<void> {
  const { signal, log } = options;
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
  const stack = await startStack(options);
  let worker: WorkerProcess | undefined;
  try {
    if (options.worker && !signal.aborted) {
      worker = await startWorkerProcess({
        env: stackEnvironment(stack),
        reload: options.reload,
        onLine: options.onWorkerLine,
        log,
      });
      await Promise.race([worker.ready, aborted]);
    }
    if (!signal.aborted) options.onReady(stack);
    await aborted;
  } finally {
    // The worker first: steps under way still need what they talk to.
    await worker?.stop();
    await stack.stop();
  }
}
