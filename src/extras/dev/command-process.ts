import path from 'node:path';
import { startChild, type Child } from './child-process.ts';
import { PROJECT_ROOT } from './paths.ts';
import { watchSources } from './watch-sources.ts';

export interface CommandProcessOptions {
  /** How people know it: `worker`. */
  part: string;
  /** Arguments of `agent-once`; asked again for each process. */
  args: () => readonly string[];
  env: NodeJS.ProcessEnv;
  /** What it prints once it is ready, in one line. */
  ready: RegExp;
  /** How long it may take to stop before it is killed. */
  graceMs: number;
  /** Restarts it when a file under `src/` or `examples/` changes. */
  reload?: boolean | undefined;
  /** What it prints. */
  onLine?: ((line: string) => void) | undefined;
  /** What happens to it. */
  log?: ((line: string) => void) | undefined;
}

export interface CommandProcess {
  /** Resolves when it is ready for the first time, to what `ready` found. */
  ready: Promise<RegExpExecArray>;
  /** Asks it to stop, and waits until it has. */
  stop(): Promise<void>;
}

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 10_000;

/** Runs a command of `agent-once` in a process of its own, and another one whenever it dies. */
export async function startCommandProcess(options: CommandProcessOptions): Promise<CommandProcess> {
  const { part, log = () => undefined } = options;
  let child: Child | undefined;
  let stopping = false;
  let wasReady = false;
  let wake = (): void => undefined;
  let announceReady: (found: RegExpExecArray) => void = () => undefined;
  const ready = new Promise<RegExpExecArray>((resolve) => (announceReady = resolve));

  const start = (): Promise<Child> => {
    wasReady = false;
    return startChild({
      part: `The ${part}`,
      command: process.execPath,
      args: [path.join(PROJECT_ROOT, 'bin', 'agent-once.js'), ...options.args()],
      env: options.env,
      graceMs: options.graceMs,
      onLine: (line) => {
        const found = options.ready.exec(line);
        if (found !== null) {
          wasReady = true;
          announceReady(found);
        }
        options.onLine?.(line);
      },
    });
  };

  let restarting = false;
  const watcher = options.reload === true ? await watchSources(restart) : undefined;
  function restart(file: string): void {
    log(`${path.relative(PROJECT_ROOT, file)} changed: restarting the ${part}`);
    restarting = true;
    wake();
    void child?.stop();
  }

  const supervise = async (): Promise<void> => {
    let delayMs = FIRST_DELAY_MS;
    while (!stopping) {
      restarting = false;
      child = await start();
      // Told to while it was being started.
      if (stopping || restarting) void child.stop();
      const { code, signal } = await child.exited;
      child = undefined;
      if (stopping || restarting) continue;
      delayMs = wasReady ? FIRST_DELAY_MS : Math.min(delayMs * 2, LONGEST_DELAY_MS);
      log(
        `the ${part} ended (${signal ?? `exit code ${code}`}); another one in ${delayMs / 1000} s`,
      );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, delayMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  const supervision = supervise();
  // An error here is one of starting a process at all; `stop` hands it on.
  supervision.catch((error: unknown) => log(String(error)));

  return {
    ready,
    stop: async () => {
      stopping = true;
      wake();
      await watcher?.close();
      await child?.stop();
      await supervision;
    },
  };
}
