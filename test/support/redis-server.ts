import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createClient } from 'redis';
import { signalProcess, startChild, type Child } from '../../src/extras/dev/child-process.ts';
import { findFreePort } from '../../src/extras/dev/ports.ts';
import { eventually } from './eventually.ts';
import { findProgram } from './find-program.ts';

/** A Redis of a suite's own: Debian's package `redis-server`. */
export interface RedisServer {
  /** `redis://127.0.0.1:6380/0` */
  url: string;
  /** `127.0.0.1:6380` */
  address: string;
  /** Sends one command, as an operator would. */
  command(...args: string[]): Promise<unknown>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: it accepts connections, and answers nothing. */
  pause(): void;
  resume(): void;
  /** Starts it again on the same port with what its file holds. */
  restart(): Promise<void>;
  /** Stops it and removes what it kept. */
  stop(): Promise<void>;
}

/** Answers only when a write is on disk, and evicts nothing. */
const DURABLE = { appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction' };

/** @param settings of `redis.conf`; they change the durable ones */
export async function startRedis(settings: Record<string, string> = {}): Promise<RedisServer> {
  const program = await findProgram('redis-server');
  if (program === undefined) throw new Error('redis-server is not installed.');
  const folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-redis-'));
  let port = await findFreePort();
  let child: Child | undefined;
  let client: ReturnType<typeof connect>;

  const start = async (): Promise<void> => {
    const all = {
      ...DURABLE,
      bind: '127.0.0.1',
      port: String(port),
      dir: folder,
      save: '',
      ...settings,
    };
    const started = await startChild({
      part: 'Redis',
      command: program,
      args: Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]),
      cwd: folder,
    });
    child = started;
    client = connect(port, settings['requirepass']);
    await eventually(async () => {
      if (started.hasExited()) return;
      if (!client.isOpen) await client.connect();
      await client.ping();
    });
    if (started.hasExited()) throw new Error(`Redis did not start:\n${started.lastLines()}`);
  };
  const end = async (): Promise<void> => {
    if (client.isOpen) client.destroy();
    child?.kill();
    await child?.exited;
  };

  for (let attempt = 1; ; attempt++) {
    try {
      await start();
      break;
    } catch (error) {
      // Somebody else took the port in between.
      if (attempt === 5) throw error;
      port = await findFreePort();
    }
  }
  const address = `127.0.0.1:${port}`;
  const pass = settings['requirepass'];
  return {
    address,
    url: `redis://${pass === undefined ? '' : `:${pass}@`}${address}/0`,
    command: (...args) => client.sendCommand(args),
    kill: end,
    pause: () => signalProcess(child?.pid ?? 0, 'SIGSTOP'),
    resume: () => signalProcess(child?.pid ?? 0, 'SIGCONT'),
    restart: start,
    async stop() {
      await end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function connect(port: number, password?: string) {
  const client = createClient({
    RESP: 2,
    socket: { host: '127.0.0.1', port, reconnectStrategy: false },
    ...(password === undefined ? {} : { password }),
  });
  client.on('error', () => {});
  return client;
}
