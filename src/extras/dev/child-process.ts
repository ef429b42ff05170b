import { spawn, type SpawnOptions } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { AgentOnceError } from '../../contract/errors.ts';
import { startWatchdog } from './watchdog.ts';

const KEPT_LINES = 30;
export const READY_TIMEOUT_MS = 30_000;

export interface ChildOptions extends Pick<SpawnOptions, 'env' | 'cwd' | 'uid' | 'gid'> {
  /** How people know it: `Temporal`, `PostgreSQL` … */
  part: string;
  command: string;
  args: readonly string[];
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
  const {
    part,
    command,
    args,
    stopSignal = 'SIGTERM',
    graceMs = 5_000,
    logFile,
    onLine,
    ...how
  } = options;
  const child = spawn(command, args, {
    ...how,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) {
    const cause = await new Promise<Error>((resolve) => child.once('error', resolve));
    throw new AgentOnceError('part.failed', `${part} could not be started: ${cause.message}.`, {
      cause,
    });
  }
  const callOffWatchdog = startWatchdog(pid, stopSignal, graceMs);

  const lines: string[] = [];
  const log = logFile === undefined ? undefined : createWriteStream(logFile, { flags: 'a' });
  log?.on('error', () => undefined);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      log?.write(`${line}\n`);
      onLine?.(line);
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

/**
 * Waits until a server that was started as a child does what is tried, such as to answer.
 *
 * @throws {AgentOnceError} `part.failed` if it ends, or takes longer than 30 s
 */
export async function untilReady(
  child: Child,
  part: string,
  attempt: () => Promise<unknown>,
): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (cause) {
      if (child.hasExited() || Date.now() > deadline) {
        const how = child.hasExited() ? 'ended while it started' : 'did not become ready in 30 s';
        throw new AgentOnceError(
          'part.failed',
          `${part} ${how}. Its last lines:\n${child.lastLines()}`,
          { cause },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
