import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Client } from '@temporalio/client';
import pg from 'pg';
import { createRegistry } from '../../src/define/registry.ts';
import { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import { loadPlugins } from '../../src/client/plugins.ts';
import type { JsonValue } from '../../src/contract/json-value.ts';
import type { Ledger } from '../../src/ledger/port.ts';
import { openLedger } from '../../src/ledger/open-ledger.ts';
import { startCounterServer, type CounterServer } from './counter-server.ts';
import { createTestDatabase } from './database.ts';
import { startTestModel, type TestModel } from './model/test-model.ts';
import { createTestNamespace } from './namespace.ts';
import { program } from './program.ts';
import { connectTestClient, temporalAddress } from './servers.ts';
import { inLane, testAgents } from './test-agents.ts';
import { within } from './within.ts';

/** A worker process of a test. */
export interface TestWorker {
  pid: number;
  /** Everything it wrote so far. */
  output(): string;
  /** Resolves with its signal or exit code. */
  ended: Promise<NodeJS.Signals | number>;
  /**
   * Waits for its end, and tells it as `ended` does. Where it does not come, the error says so, and
   * has what the worker wrote.
   *
   * @param where it is to end, for that error
   */
  untilEnded(where?: string): Promise<NodeJS.Signals | number>;
  /** Ends the standby of a worker started with `TEST_STANDBY=1`, which gets more settings then. */
  go(env?: Record<string, string>): void;
  kill(): Promise<void>;
  /** Asks it to stop, and waits. */
  stop(): Promise<void>;
}

/** What the scripted model counted. */
interface ModelCounters {
  requests: number;
  /** By the step that asked: the part of the key before a `~`. */
  byToken: Record<string, number>;
  byKey: Record<string, number>;
}

interface ReceivedRequest {
  path: string;
  headers: Record<string, string>;
  body: Record<string, unknown>;
}

/** Everything a run needs, made for one suite: real servers, and worker processes to kill. */
export interface TestSystem {
  client: AgentOnceClient;
  temporal: Client;
  ledger: Ledger;
  sql: pg.Pool;
  model: TestModel;
  counter: CounterServer;
  env: Record<string, string>;
  startWorker(env?: Record<string, string>): Promise<TestWorker>;
  /** The scope of a run that is no successor: its first execution's run ID. */
  scopeOf(workflowId: string): Promise<string>;
  /** What the scripted model counted. */
  modelRequests(): Promise<ModelCounters>;
  /** What the scripted model received for a step, oldest first. */
  receivedBy(token: string): Promise<ReceivedRequest[]>;
  close(): Promise<void>;
}

/**
 * @param databaseUrl an empty database of a suite's own server; default: one on the shared server
 * @param ledgerUrl of another ledger than that database
 */
export async function startTestSystem(
  databaseUrl?: string,
  ledgerUrl?: string,
): Promise<TestSystem> {
  const [database, namespace, model, counter, temporal] = await Promise.all([
    databaseUrl === undefined
      ? createTestDatabase()
      : { url: databaseUrl, drop: () => Promise.resolve() },
    createTestNamespace(),
    startTestModel(),
    startCounterServer(),
    connectTestClient(),
  ]);
  const ledger = await openLedger(ledgerUrl ?? database.url);
  const sql = new pg.Pool({ connectionString: database.url, max: 4 });
  sql.on('error', () => {});
  await sql.query(
    'CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY, label text, token text)',
  );
  const { Client } = await import('@temporalio/client');
  const plugins = await loadPlugins();
  const client = new Client({ connection: temporal.connection, namespace, plugins });
  const workers: ChildProcess[] = [];
  const env: Record<string, string> = {
    TEMPORAL_ADDRESS: temporalAddress(),
    TEMPORAL_NAMESPACE: namespace,
    LEDGER_URL: ledgerUrl ?? database.url,
    OPENAI_BASE_URL: model.url,
    // Suites that clean do so themselves.
    AGENT_ONCE_CLEANUP: 'off',
    // Nobody looks whether they stop, but where a suite says so.
    AGENT_ONCE_DRAIN: 'off',
    TEST_COUNTER_URL: counter.url,
    ...Object.fromEntries(
      Object.entries(process.env).filter(([name]) =>
        /^(TEST_((MODEL_)?LANE|FAST_MS)|AGENT_ONCE_ENCRYPTION_KEYS)$/.test(name),
      ),
    ),
  };
  return {
    client: new AgentOnceClient({
      temporal: client,
      registry: createRegistry(inLane(testAgents), {
        defaultModel: 'scripted',
        endpoints: ['first', 'second', 'third'],
      }),
    }),
    temporal: client,
    ledger,
    sql,
    model,
    counter,
    env,
    startWorker: (more = {}) => startWorker({ ...env, ...more }, workers),
    scopeOf: async (workflowId) => {
      const { raw } = await client.workflow.getHandle(workflowId).describe();
      return raw.workflowExecutionInfo?.firstRunId ?? '';
    },
    modelRequests: async () => {
      const response = await fetch(new URL('/counters', model.url));
      return (await response.json()) as ModelCounters;
    },
    receivedBy: async (token) => {
      const url = new URL(`/requests?token=${encodeURIComponent(token)}`, model.url);
      return ((await (await fetch(url)).json()) as { requests: ReceivedRequest[] }).requests;
    },
    async close() {
      for (const worker of workers) worker.kill('SIGKILL');
      await Promise.allSettled([sql.end(), ledger.close(), model.stop(), counter.stop()]);
      await temporal.close();
      await database.drop();
    },
  };
}

async function startWorker(
  env: Record<string, string>,
  workers: ChildProcess[],
): Promise<TestWorker> {
  const { file, execArgv } = program('test/support/worker-main');
  const child = fork(file, [], {
    execArgv,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  workers.push(child);
  let output = '';
  child.stdout?.on('data', (chunk) => (output += String(chunk)));
  child.stderr?.on('data', (chunk) => (output += String(chunk)));
  const ended = once(child, 'exit').then(
    ([code, signal]) => (signal ?? code) as NodeJS.Signals | number,
  );
  const untilEnded = (where = '') =>
    within(ended, () => `worker ${child.pid} ended${where}. It wrote:\n${output}`);
  const ready = Promise.race([
    once(child, 'message'),
    ended.then((how) => {
      throw new Error(`The worker ended (${how}) before it was ready:\n${output}`);
    }),
  ]);
  await within(ready, () => `worker ${child.pid} was ready. It wrote:\n${output}`);
  return {
    pid: child.pid ?? 0,
    output: () => output,
    ended,
    untilEnded,
    go: (env = {}) => child.send(env),
    async kill() {
      child.kill('SIGKILL');
      await untilEnded(' after SIGKILL');
    },
    async stop() {
      child.kill('SIGTERM');
      await untilEnded(' after SIGTERM');
    },
  };
}

/** A run's input that the scripted model plays, answer by answer. */
export function script(...answers: JsonValue[]): JsonValue {
  return { script: answers };
}

/** An answer of the script that asks for tools. */
export function calls(...wanted: [name: string, args: JsonValue][]): JsonValue {
  return { calls: wanted.map(([name, args]) => ({ name, arguments: args })) };
}
