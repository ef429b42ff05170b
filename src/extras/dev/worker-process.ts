import { startCommandProcess, type CommandProcess } from './command-process.ts';

export interface WorkerProcessOptions {
  /** Where its servers are; see `stackEnvironment`. */
  env: NodeJS.ProcessEnv;
  /** Restarts it when a file under `src/` or `examples/` changes. */
  reload?: boolean;
  /** More arguments for `agent-once worker`. */
  args?: readonly string[];
  /** What the worker prints. */
  onLine?: (line: string) => void;
  /** What happens to it. */
  log?: (line: string) => void;
}

/** A little more than the worker gives its own steps, which it lets finish. */
const GRACE_MS = 13_000;

/** Runs `agent-once worker` in a process of its own, and another one whenever it dies. */
export function startWorkerProcess(options: WorkerProcessOptions): Promise<CommandProcess> {
  const { args = [], ...others } = options;
  return startCommandProcess({
    ...others,
    part: 'worker',
    args: () => ['worker', ...args],
    ready: /^Worker \d+ is ready/,
    graceMs: GRACE_MS,
  });
}
