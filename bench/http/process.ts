import { fork } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROJECT_ROOT } from '../../src/extras/dev/paths.ts';

/** Bytes that a process holds after a full garbage collection. */
export interface Memory {
  heapUsed: number;
  rss: number;
}

/** One of the two that answer HTTP, in a process of its own. */
export interface HttpProcess {
  url: string;
  memory(): Promise<Memory>;
  stop(): Promise<void>;
}

const LOADER = pathToFileURL(path.join(PROJECT_ROOT, 'bin/register-typescript.js')).href;

/**
 * Starts a program of this folder. What it logs goes to a file, as it would in production: nobody
 * here spends time on reading it.
 */
export async function startHttpProcess(
  program: string,
  logFile: string,
  env: NodeJS.ProcessEnv,
): Promise<HttpProcess> {
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
  const { url } = await nextMessage<{ url: string }>();
  return {
    url,
    memory: () => {
      const answer = nextMessage<Memory>();
      child.send('memory');
      return answer;
    },
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill();
      await exited;
    },
  };
}
