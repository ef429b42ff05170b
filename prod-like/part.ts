import { signalProcess } from '../src/extras/dev/child-process.ts';
import { keepRunning, type Server } from '../src/extras/dev/keep-running.ts';

/** A process that is started again whenever it ends, as `restart: unless-stopped` says. */
export interface Part {
  name: string;
  /** Of the process that runs now: resolves when it has ended. */
  ended(): Promise<unknown>;
  /** SIGKILL. Resolves when it has ended. */
  kill(): Promise<void>;
  /** The ID of the process that runs now, or ran last. */
  pid(): number;
  /** Resolves when the next process after that one is well. */
  untilBack(): Promise<void>;
  stop(): Promise<void>;
}

interface Running extends Server {
  pid: number;
}

/** @param start resolves when the process is well; is told whether one ran before */
export async function startPart(
  name: string,
  start: (again: boolean) => Promise<Running>,
  tell: (line: string) => void,
): Promise<Part> {
  let waiting: (() => void)[] = [];
  const startOne = async (previous: Running | undefined): Promise<Running> => {
    current = await start(previous !== undefined);
    for (const wake of waiting) wake();
    waiting = [];
    return current;
  };
  let current: Running | undefined;
  // What it said is in its log.
  const kept = await keepRunning(name, startOne, (line) => tell(line.split('\n')[0] ?? ''));
  const now = (): Running => current ?? kept.first;
  return {
    name,
    ended: () => now().exited,
    pid: () => now().pid,
    kill: async () => {
      signalProcess(now().pid, 'SIGKILL');
      await now().exited;
    },
    untilBack: () => new Promise((resolve) => waiting.push(resolve)),
    stop: () => kept.stop(),
  };
}
