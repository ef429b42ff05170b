import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROJECT_ROOT } from '../src/extras/dev/paths.ts';
import type { Answer } from './answer.ts';
import type { FuzzedKey, Surface } from './operations.ts';

/** What a client process is given. */
export interface ClientPlan {
  number: number;
  surface: Surface;
  seed: number;
  keys: readonly FuzzedKey[];
  serviceUrl: string;
}

export interface Clients {
  /** Lets each finish what it does, and waits for it. */
  end(): Promise<void>;
  /** At once. */
  kill(): Promise<void>;
}

const LOADER = pathToFileURL(path.join(PROJECT_ROOT, 'bin/register-typescript.js')).href;

/** Of eight processes: five send HTTP, two call the TypeScript client, one runs the command. */
const TURNS: readonly Surface[] = [
  'http',
  'library',
  'http',
  'command',
  'http',
  'library',
  'http',
  'http',
];

export function surfaceOf(number: number): Surface {
  return TURNS[(number - 1) % TURNS.length] ?? 'http';
}

/**
 * Starts the client processes, all at once when the last is ready.
 *
 * @param env where Temporal and the ledger are
 * @param onBroken is called with the number of a process that ended by itself
 */
export async function startClients(
  plans: readonly ClientPlan[],
  env: Record<string, string>,
  onAnswer: (answer: Answer) => void,
  onBroken: (number: number) => void,
): Promise<Clients> {
  let ending = false;
  const children = plans.map((plan) => {
    const child = fork(path.join(PROJECT_ROOT, 'fuzz/client.ts'), [JSON.stringify(plan)], {
      execArgv: ['--import', LOADER],
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child.on('message', (message) => {
      if (message !== 'ready') onAnswer(message as Answer);
    });
    child.once('exit', () => {
      if (!ending) onBroken(plan.number);
    });
    return child;
  });
  const isOpen = ({ exitCode, signalCode }: ChildProcess) =>
    exitCode === null && signalCode === null;
  const untilGone = (tell: (child: ChildProcess) => void) => {
    ending = true;
    return Promise.all(
      children.filter(isOpen).map((child) => {
        const gone = once(child, 'exit');
        tell(child);
        return gone;
      }),
    );
  };
  return {
    async end() {
      await untilGone((child) => void child.send('end'));
    },
    async kill() {
      await untilGone((child) => void child.kill('SIGKILL'));
    },
  };
}
