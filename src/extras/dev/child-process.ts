import { spawn, type SpawnOptions } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { AgentOnceError } from '../../contract/errors.ts';
import { startWatchdog } from './watchdog.ts';

const KEPT_LINES = 30;

export interface ChildOptions {
  /** How people know it: `Temporal`, `PostgreSQL` … */
  part: string;
  command: string;
  args: readonly string[];
  /** Replaces the environment; by default the child gets ours. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** What asks it to stop. Default: SIGTERM. */
  stopSignal?: NodeJS.Signals;
  /** How long it may take to stop before it is killed. */
  graceMs?: number;
  /** Everything it prints is appended there. */
  logFile?: string | undefined;
  onLine?: ((line: string) => void) | undefined;
}

export interface ChildExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Child {
  readonly pid: number;
  /** Resolves when it ended, for whatever reason. */
  readonly exited: Promise<ChildExit>;
  /** Whether it has ended. */
  hasExited(): boolean;
  /** The last lines that it printed, for error messages. */
  lastLines(): string;
  /** Asks it to stop, kills it after the grace; resolves when it is gone. */
  stop(): Promise<void>;
  /** Kills it and its group at once. */
  kill(): void;
}

/**
 * Starts a process that ends with this one, also when this one is killed with SIGKILL. It has a
 * process group of its own, so that Ctrl-C in a terminal reaches it only through `stop`.
 *
 * @throws {AgentOnceError} `part.failed` if it cannot be started at all.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { part, stopSignal = 'SIGTERM', graceMs = 5_000 } = options;
  const spawnOptions: SpawnOptions = {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  };
  const child = spawn(options.command, options.args, spawnOptions);
  const { pid } = child;
  if (pid === undefined) {
    const cause = await new Promise<Error>((resolve) => child.once('error', resolve));
    throw new AgentOnceError('part.failed', `${part} could not be started: ${cause.message}.`, {
      cause,
    });
  }
  const callOffWatchdog = startWatchdog(pid, stopSignal, graceMs);

  const lines: string[] = [];
  const log =
    options.logFile === undefined ? undefined : createWriteStream(options.logFile, { flags: 'a' });
  log?.on('error', () => undefined);
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      log?.write(`${line}\n`);
      options.onLine?.(line);
    });
  }

  let exit: ChildExit | undefined;
  const exited = new Promise<ChildExit>((resolve) => {
    child.once('close', (code, signal) => {
      exit = { code, signal };
      callOffWatchdog();
      log?.end();
      resolve(exit);
    });
  });

  const kill = (): void => {
    if (exit === undefined) signalProcess(-pid, 'SIGKILL');
  };
  const stop = async (): Promise<void> => {
    if (exit !== undefined) return;
    signalProcess(pid, stopSignal);
    const timer = setTimeout(kill, graceMs);
    await exited;
    clearTimeout(timer);
  };
  return {
    pid,
    exited,
    hasExited: () => exit !== undefined,
    lastLines: () => lines.join('\n'),
    stop,
    kill,
  };
}

/** Sends a signal; a process that is already gone is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
