import { fork } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROJECT_ROOT } from '../src/extras/dev/paths.ts';

/** Bytes that a process holds after a full garbage collection. */
export interface Memory {
  heapUsed: number;
  rss: number;
}

/** A program that says how much memory it holds, in a process of its own. */
export interface MeasuredProcess {
  /** Where it answers HTTP; of a worker, empty. */
  url: string;
  memory(): Promise<Memory>;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

const LOADER = pathToFileURL(path.join(PROJECT_ROOT, 'bin/register-typescript.js')).href;

/**
 * Starts a program of this folder. What it logs goes to a file, as it would in production: nobody
 * here spends time on reading it.
 */
export async function startMeasured(
  program: string,
  logFile: string,
  env: NodeJS.ProcessEnv,
): Promise<MeasuredProcess> {
  const log = openSync(logFile, 'a');
  const child = fork(path.join(import.meta.dirname, program), [], {
    execArgv: ['--expose-gc', '--import', LOADER],
    env,
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const exited = once(child, 'exit');
  const failed = exited.then(() => {
    const last = readFileSync(logFile, 'utf8').split('\n').slice(-20).join('\n');
    throw new Error(`${program} ended too early:\n${last}`);
  });
  failed.catch(() => undefined);
  const nextMessage = async <T>(): Promise<T> => {
    const [message] = (await Promise.race([once(child, 'message'), failed])) as [T];
    return message;
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
  };
  const { url } = await nextMessage<{ url: string }>();
  return {
    url,
    memory: () => {
      const answer = nextMessage<Memory>();
      child.send('memory');
      return answer;
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
}
