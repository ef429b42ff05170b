import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { startChild } from '../src/extras/dev/child-process.ts';
import { PROJECT_ROOT } from '../src/extras/dev/paths.ts';
import { findFreePort } from '../src/extras/dev/ports.ts';
import { startPostgres } from '../src/extras/dev/postgres-server.ts';
import { startTemporalServer } from '../src/extras/dev/temporal-server.ts';

/** What both work with: each server, and the worker of each, in a process of its own. */
export interface BenchServers {
  temporal: string;
  /** Temporal's Prometheus metrics. */
  metricsUrl: string;
  ledger: string;
  /** A folder that is gone when all has stopped. */
  folder: string;
  /** What a process needs to know of all these. */
  env: NodeJS.ProcessEnv;
  /** The processes whose CPU is measured. */
  pids: Readonly<Record<'temporal' | 'postgres' | 'ours' | 'plain', number>>;
  /** How long the model takes for each answer from now on. */
  setModelDelay(ms: number): Promise<void>;
  /** With `true` the model answers nothing until `false`. */
  holdModel(hold: boolean): Promise<void>;
  /** Requests that the model holds at this moment. */
  heldByModel(): Promise<number>;
  /** Requests that model and tools got so far. */
  requests(): Promise<{ model: number; tools: number }>;
  /** From now on runs that are started only wait. */
  stopWorkers(): Promise<void>;
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** Activity slots of the plain worker; absent: the SDK's default. */
  plainSlots?: number;
  /** Whether PostgreSQL counts statements and their bytes of WAL, which takes it a little CPU. */
  countStatements?: boolean;
}

/** No checkpoint meanwhile: after each one, whoever touches a page first writes the whole page. */
const COUNTING = {
  shared_preload_libraries: 'pg_stat_statements',
  checkpoint_timeout: '1h',
  max_wal_size: '8GB',
};

const LOADER = pathToFileURL(path.join(PROJECT_ROOT, 'bin/register-typescript.js')).href;

/** Starts everything; what started is stopped again if a part does not start. */
export async function startBenchServers({
  plainSlots,
  countStatements = false,
}: ServerOptions = {}): Promise<BenchServers> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (let next = stops.pop(); next !== undefined; next = stops.pop()) await next();
  };
  const opened = <T extends { stop(): Promise<void> }>(part: T): T => {
    stops.push(() => part.stop());
    return part;
  };
  try {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-bench-'));
    stops.push(() => rm(folder, { recursive: true, force: true }));
    // PostgreSQL runs as another user where this runs as root.
    await chmod(folder, 0o755);

    // Both keep their data on disk, as `agent-once dev` does.
    const dbFile = path.join(folder, 'temporal.db');
    const metricsPort = await findFreePort();
    const temporal = opened(await startTemporalServer({ dbFile, metricsPort }));
    const dataDir = path.join(folder, 'postgres');
    const postgres = opened(
      await startPostgres({ dataDir, durable: true, settings: countStatements ? COUNTING : {} }),
    );
    const model = opened(await startProcess('bench/scripted-model.ts', /http\S+/));
    const counter = opened(await startProcess('bench/counter-server.ts', /http\S+/));
    const env = {
      ...process.env,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: 'default',
      LEDGER_URL: postgres.url,
      OPENAI_BASE_URL: model.announced,
      OPENAI_API_KEY: 'scripted-model',
      OPENAI_MODEL: 'scripted',
      BENCH_COUNTER_URL: counter.announced,
      AGENT_ONCE_LOG_LEVEL: 'error',
    };
    const plainEnv = { ...env, ...(plainSlots && { BENCH_PLAIN_SLOTS: String(plainSlots) }) };
    const ours = opened(await startProcess('bench/ours/worker.ts', /ready/, env));
    const plain = opened(await startProcess('bench/plain/worker.ts', /ready/, plainEnv));
    const workers = [ours, plain];
    return {
      temporal: temporal.address,
      metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
      ledger: postgres.url,
      folder,
      env,
      pids: { temporal: temporal.pid, postgres: postgres.pid, ours: ours.pid, plain: plain.pid },
      setModelDelay: (ms) => steer(model.announced, '/delay', { ms }),
      holdModel: (hold) => steer(model.announced, '/hold', { hold }),
      heldByModel: async () => (await readCounters(new URL('/held', model.announced))).requests,
      requests: async () => ({
        model: (await readCounters(new URL('/counters', model.announced))).requests,
        tools: (await readCounters(new URL(counter.announced))).requests,
      }),
      stopWorkers: async () => {
        await Promise.all(workers.map((worker) => worker.stop()));
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts one of our programs; `announced` is what it says when it is ready. */
async function startProcess(
  program: string,
  ready: RegExp,
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ announced: string; pid: number; stop(): Promise<void> }> {
  let announce = (_text: string): void => undefined;
  const isReady = new Promise<string>((resolve) => (announce = resolve));
  const child = await startChild({
    part: program,
    command: process.execPath,
    args: ['--import', LOADER, path.join(PROJECT_ROOT, program)],
    env,
    onLine: (line) => {
      const found = ready.exec(line)?.[0];
      if (found !== undefined) announce(found);
    },
  });
  const announced = await Promise.race([
    isReady,
    child.exited.then(() => {
      throw new Error(`${program} ended before it was ready:\n${child.lastLines()}`);
    }),
  ]);
  return { announced, pid: child.pid, stop: () => child.stop() };
}

async function steer(modelUrl: string, path: string, body: object): Promise<void> {
  const response = await fetch(new URL(path, modelUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`The scripted model answered ${response.status}`);
}

async function readCounters(url: URL): Promise<{ requests: number }> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.href} answered ${response.status}`);
  return (await response.json()) as { requests: number };
}
