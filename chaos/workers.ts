import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { signalProcess, startChild, type Child } from '../src/extras/dev/child-process.ts';
import { PROJECT_ROOT } from '../src/extras/dev/paths.ts';
import { startTcpProxy, type TcpProxy } from '../test/support/tcp-proxy.ts';
import type { Server } from './faults.ts';
import type { ChaosServers } from './servers.ts';

/** A worker process, and the wires between it and the servers. */
export interface ChaosWorker {
  pid: number;
  wires: Record<Server, TcpProxy>;
  ready: Promise<void>;
  /** Stopped and to be continued: nobody else's to kill. */
  isStopped: boolean;
  isReady(): boolean;
  hasExited(): boolean;
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  kill(): void;
  /** Lets it finish what it does. */
  end(): Promise<void>;
}

/** The worker processes: as many as wanted are always at work, and others are made to die. */
export interface WorkerPool {
  /** The workers at work that are ready and not stopped. */
  usable(): ChaosWorker[];
  find(pid: number): ChaosWorker | undefined;
  /** One more, that is not replaced when it dies. */
  startOne(env: Record<string, string>): Promise<ChaosWorker>;
  /** Processes started so far. */
  started(): number;
  /** Starts no other, continues the stopped, and lets all end well. */
  end(): Promise<void>;
  /** At once. */
  kill(): Promise<void>;
}

const LOADER = pathToFileURL(path.join(PROJECT_ROOT, 'bin/register-typescript.js')).href;
/** A step under way is finished, so that what it did late is noted. */
const GRACE_MS = 15_000;

export async function startWorkers(
  servers: ChaosServers,
  count: number,
  env: Record<string, string>,
): Promise<WorkerPool> {
  const workers = new Set<ChaosWorker>();
  let ending = false;
  let started = 0;

  const startOne = async (more: Record<string, string>): Promise<ChaosWorker> => {
    started += 1;
    const worker = await startWorker(servers, { ...env, ...more });
    workers.add(worker);
    void worker.exited.then(() => workers.delete(worker));
    return worker;
  };
  const keepOneAtWork = async (): Promise<void> => {
    while (!ending) {
      const worker = await startOne({});
      // Told to end while it was being started.
      if (ending) worker.kill();
      await worker.exited;
      await sleep(50);
    }
  };
  const keepers = Array.from({ length: count }, keepOneAtWork);
  const pool: WorkerPool = {
    usable: () => [...workers].filter((worker) => worker.isReady() && !worker.isStopped),
    find: (pid) => [...workers].find((worker) => worker.pid === pid),
    startOne,
    started: () => started,
    async end() {
      ending = true;
      for (const { pid } of workers) signalProcess(pid, 'SIGCONT');
      await Promise.all([...workers].map((worker) => worker.end()));
      await Promise.all(keepers);
    },
    async kill() {
      ending = true;
      for (const worker of workers) worker.kill();
      await Promise.all(keepers);
      await Promise.all([...workers].map(({ exited }) => exited));
    },
  };
  return pool;
}

async function startWorker(
  servers: ChaosServers,
  env: Record<string, string>,
): Promise<ChaosWorker> {
  const ledger = new URL(servers.ledgerUrl);
  const [temporal, postgres] = await Promise.all([
    startTcpProxy(servers.temporalAddress),
    startTcpProxy(ledger.host),
  ]);
  ledger.host = postgres.address;
  let isReady = false;
  let announce = (): void => undefined;
  const ready = new Promise<void>((resolve) => (announce = resolve));
  const child: Child = await startChild({
    part: 'A worker',
    command: process.execPath,
    args: ['--import', LOADER, path.join(PROJECT_ROOT, 'chaos/worker.ts')],
    env: {
      ...process.env,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: 'default',
      LEDGER_URL: ledger.href,
      OPENAI_BASE_URL: servers.modelUrl,
      OPENAI_API_KEY: 'scripted-model',
      AGENT_ONCE_LOG_LEVEL: 'warn',
      ...env,
    },
    graceMs: GRACE_MS,
    logFile: path.join(servers.folder, 'workers.log'),
    onLine: (line) => {
      if (line !== 'ready') return;
      isReady = true;
      announce();
    },
  });
  // Without a worker at its end, a wire is of no use.
  void child.exited.then(() => Promise.all([temporal.stop(), postgres.stop()]));
  return {
    pid: child.pid,
    wires: { temporal, postgres },
    ready,
    isStopped: false,
    isReady: () => isReady && !child.hasExited(),
    hasExited: child.hasExited,
    exited: child.exited,
    kill: child.kill,
    end: child.stop,
  };
}
