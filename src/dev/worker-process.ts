import { existsSync } from 'node:fs';
import path from 'node:path';
import { startChild, type Child } from './child-process.ts';
import { PROJECT_ROOT } from './paths.ts';

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

export interface WorkerProcess {
  /** Of the process that runs now; `undefined` between two. */
  pid(): number | undefined;
  /** Resolves when a worker is ready for the first time. */
  ready: Promise<void>;
  /** Lets steps under way finish, within the worker's own grace. */
  stop(): Promise<void>;
}

/** A little more than the worker gives its own steps. */
const GRACE_MS = 13_000;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 10_000;
/** Editors write a file in several steps, and people save several files. */
const SETTLE_MS = 150;
const READY = /^Worker \d+ is ready/;

/** Runs `agent-once worker` in a process of its own, and another one whenever it dies. */
export async function startWorkerProcess(options: WorkerProcessOptions): Promise<WorkerProcess> {
  const { log = () => undefined } = options;
  let child: Child | undefined;
  let stopping = false;
  let wasReady = false;
  let wake = (): void => undefined;
  let announceReady = (): void => undefined;
  const ready = new Promise<void>((resolve) => (announceReady = resolve));

  const start = (): Promise<Child> => {
    wasReady = false;
    return startChild({
      part: 'The worker',
      command: process.execPath,
      args: [path.join(PROJECT_ROOT, 'bin', 'agent-once.js'), 'worker', ...(options.args ?? [])],
      env: options.env,
      graceMs: GRACE_MS,
      onLine: (line) => {
        if (READY.test(line)) {
          wasReady = true;
          announceReady();
        }
        options.onLine?.(line);
      },
    });
  };

  let restarting = false;
  const watcher = options.reload === true ? await watchSources(restart) : undefined;
  function restart(file: string): void {
    log(`${path.relative(PROJECT_ROOT, file)} changed: restarting the worker`);
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
        `the worker ended (${signal ?? `exit code ${code}`}); another one in ${delayMs / 1000} s`,
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
    pid: () => child?.pid,
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

async function watchSources(onChange: (file: string) => void): Promise<{ close(): Promise<void> }> {
  const { watch } = await import('chokidar');
  const folders = ['src', 'examples'].map((name) => path.join(PROJECT_ROOT, name));
  const watcher = watch(
    folders.filter((folder) => existsSync(folder)),
    { ignoreInitial: true },
  );
  let timer: NodeJS.Timeout | undefined;
  watcher.on('all', (_event, file) => {
    clearTimeout(timer);
    timer = setTimeout(() => onChange(file), SETTLE_MS);
  });
  return {
    close: () => {
      clearTimeout(timer);
      return watcher.close();
    },
  };
}
