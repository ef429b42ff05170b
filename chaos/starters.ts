import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { JsonValue } from '../src/contract/json-value.ts';
import { PROJECT_ROOT } from '../src/extras/dev/paths.ts';

export interface StartOrder {
  request: { agent: string; key: string; input: JsonValue };
  /** One start after each of these times, in milliseconds. */
  afterMs: number[];
}

/** What one caller was told in the end. */
export interface Told {
  key: string;
  replayed: boolean;
  /** Of the execution that the start named. */
  runId: string;
  status: string;
  result: JsonValue;
  error: string | null;
}

/** Client processes, which all start the same requests. */
export interface Starters {
  count: number;
  order(starter: number, order: StartOrder): void;
  onTold: (told: Told) => void;
  stop(): Promise<void>;
}

const LOADER = pathToFileURL(path.join(PROJECT_ROOT, 'bin/register-typescript.js')).href;

/**
 * @param count how many processes
 * @param env where Temporal and the scenario are
 */
export async function startStarters(count: number, env: Record<string, string>): Promise<Starters> {
  const children: ChildProcess[] = [];
  const starters: Starters = {
    count,
    order: (starter, order) => void children[starter]?.send(order),
    onTold: () => undefined,
    async stop() {
      const open = children.filter(
        ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
      );
      await Promise.all(
        open.map((child) => {
          child.kill('SIGKILL');
          return once(child, 'exit');
        }),
      );
    },
  };
  try {
    for (let index = 0; index < count; index += 1) {
      children.push(
        fork(path.join(PROJECT_ROOT, 'chaos/starter.ts'), [], {
          execArgv: ['--import', LOADER],
          env: {
            ...process.env,
            TEMPORAL_NAMESPACE: 'default',
            ...env,
          },
          stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        }),
      );
    }
    await Promise.all(
      children.map((child) =>
        Promise.race([
          once(child, 'message'),
          once(child, 'exit').then(() => {
            throw new Error('A client process of the kit ended before it was ready.');
          }),
        ]),
      ),
    );
  } catch (error) {
    await starters.stop();
    throw error;
  }
  for (const child of children) child.on('message', (told: Told) => starters.onTold(told));
  return starters;
}
