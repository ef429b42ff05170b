import { setMaxListeners } from 'node:events';
import os from 'node:os';
import { DefaultLogger, Runtime, Worker, type LogLevel } from '@temporalio/worker';
import { createActivities } from '../activities/create-activities.ts';
import type { ActivityDeps } from '../activities/deps.ts';
import { createFaults } from '../activities/faults.ts';
import type { AgentDefinition } from '../agents/define-agent.ts';
import { registryDefaults } from '../agents/registry-defaults.ts';
import { createRegistry, type Registry } from '../agents/registry.ts';
import { DEV_PORTS, usesScriptedModel, type Config } from '../config.ts';
import { AgentOnceError } from '../contract/errors.ts';
import { taskQueues } from '../contract/names.ts';
import { openLedger } from '../ledger/open-ledger.ts';
import type { Ledger } from '../ledger/port.ts';
import { createOpenAiModel } from '../model/openai/openai-model.ts';
import type { Model } from '../model/port.ts';
import { costUsd, loadPrices } from '../model/prices.ts';
import { prepareCleaning } from './cleaning.ts';
import { connectWorker, type WorkerConnection } from './connect.ts';
import { startHealthServer } from './health.ts';
import { assertKeysOutliveNothing } from './retention.ts';
import { searchAttributesProblem } from './search-attributes.ts';
import { weakenLedger } from './weakened-ledger.ts';
import { workflowBundle } from './workflow-code.ts';

/** What one worker process does: everything, or one part of a split deployment. */
export const PARTS = ['model', 'tools', 'workflows'] as const;
export type Part = (typeof PARTS)[number];

export interface WorkerOptions {
  agents: readonly AgentDefinition[];
  only?: Part;
  /** Ends the worker gracefully: no new work, then what is under way gets its time. */
  signal: AbortSignal;
  /** How long steps under way may take once the worker is told to stop; default 10 s. */
  graceMs?: number;
  onReady?: (info: { address: string; namespace: string; taskQueues: string[] }) => void;
}

const GRACE_MS = 10_000;

/**
 * Puts the parts together and works until the signal. Resolves when everything is closed.
 *
 * @throws {AgentOnceError} a setting, agent or tool that cannot work, a server that does not answer
 */
export async function runWorker(config: Config, options: WorkerOptions): Promise<void> {
  const { only, signal, graceMs = GRACE_MS } = options;
  if (only !== undefined && !config.splitTaskQueues) {
    throw new AgentOnceError(
      'config.invalid',
      `--only ${only} needs split task queues: set AGENT_ONCE_SPLIT_TASK_QUEUES=on for every worker and every caller.`,
    );
  }
  const registry = createRegistry(options.agents, registryDefaults(config));
  // Before anything is connected to: a setting that is wrong is told at once.
  const model = only === 'workflows' ? undefined : createModel(config);
  const faults = createFaults(config.fault);
  const logger = new DefaultLogger(config.logLevel.toUpperCase() as LogLevel);
  Runtime.install({ logger, shutdownSignals: [] });

  const temporal = await connectWorker();
  let ledger: Ledger | undefined;
  try {
    assertKeysOutliveNothing(registry, temporal.namespace, temporal.retentionMs);
    const problem = config.searchAttributes
      ? await searchAttributesProblem(temporal.connection, temporal.namespace)
      : undefined;
    if (problem !== undefined) logger.warn(problem);
    if (config.testNoTokens || config.testNoFence || config.testNoClaim) {
      logger.warn(
        'AGENT_ONCE_TEST_NO_… is set: this worker breaks the promises on purpose. Never set it where effects are real.',
      );
    }

    let deps: ActivityDeps | undefined;
    if (model) {
      const { ledgerUrl, redisDurable } = config;
      const opened = await openLedger(ledgerUrl, { tools: registry.tools(), redisDurable });
      ledger = opened;
      const cleaning = await prepareCleaning(config, temporal, opened, only !== 'model');
      for (const warning of cleaning.warnings) logger.warn(warning);
      const parts = await composeDeps(config, registry, opened, model, faults);
      deps = { ...parts, ...cleaning.deps, stopped: afterGrace(signal, graceMs) };
    }
    let workers = new Map<string, Worker>();
    // Before any worker: one that exists and never ran cannot be closed.
    const health =
      config.healthPort === undefined
        ? undefined
        : await startHealthServer(
            config.healthPort,
            () =>
              Object.fromEntries([...workers].map(([queue, worker]) => [queue, worker.getState()])),
            { signal, ms: config.drainMs },
          );
    try {
      workers = await createWorkers(config, temporal, deps, options);
      const stop = () => {
        for (const worker of workers.values()) {
          if (worker.getState() === 'RUNNING') worker.shutdown();
        }
      };
      const running = [...workers.values()].map((worker) => worker.run());
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop, { once: true });
      options.onReady?.({
        address: temporal.address,
        namespace: temporal.namespace,
        taskQueues: [...workers.keys()],
      });
      try {
        await Promise.all(running);
      } finally {
        stop();
        await Promise.allSettled(running);
      }
    } finally {
      await health?.close();
    }
  } finally {
    await ledger?.close();
    await temporal.connection.close();
  }
}

/** Aborts once the time is over that steps under way have when the worker is told to stop. */
function afterGrace(signal: AbortSignal, graceMs: number): AbortSignal {
  const over = new AbortController();
  // One listener for each call of the fast lane that is under way.
  setMaxListeners(0, over.signal);
  const begin = (): void => void setTimeout(() => over.abort(), graceMs).unref();
  if (signal.aborted) begin();
  signal.addEventListener('abort', begin, { once: true });
  return over.signal;
}

async function composeDeps(
  config: Config,
  registry: Registry,
  ledger: Ledger,
  model: Model,
  faults: ActivityDeps['faults'],
): Promise<Omit<ActivityDeps, 'stopped'>> {
  const prices = await loadPrices(config.pricesFile);
  const { testNoFence: noFence, testNoClaim: noClaim } = config;
  return {
    ledger: weakenLedger(ledger, { noFence, noClaim }),
    model,
    agents: registry,
    costUsd: (model, usage) => costUsd(prices, model, usage),
    worker: `${process.pid}@${os.hostname()}`,
    faults,
    shadowOnly: config.shadowOnly,
    withoutTokens: config.testNoTokens,
  };
}

/** @throws {AgentOnceError} `config.invalid` */
function createModel(config: Config): Model {
  return createOpenAiModel({
    baseUrl: usesScriptedModel(config)
      ? `http://127.0.0.1:${DEV_PORTS.model}/v1`
      : config.openaiBaseUrl,
    apiKey: config.openaiApiKey,
    api: config.openaiApi,
    dialect: config.openaiDialect,
    outputLimitField: config.openaiOutputLimitField,
    headers: config.openaiHeaders,
  });
}

async function createWorkers(
  config: Config,
  { connection, namespace }: WorkerConnection,
  deps: ActivityDeps | undefined,
  { only, graceMs = GRACE_MS }: WorkerOptions,
): Promise<Map<string, Worker>> {
  const queues = taskQueues(config.splitTaskQueues);
  const common = {
    connection,
    namespace,
    shutdownGraceTime: graceMs,
    // Cancellation reaches an activity with the answer to a heartbeat: by default that takes
    // seconds, and a model request goes on being paid for.
    maxHeartbeatThrottleInterval: 500,
    defaultHeartbeatThrottleInterval: 500,
    // What the workflows of a dead worker wait for before another one may replay them.
    stickyQueueScheduleToStartTimeout: 2_000,
  };
  const workers = new Map<string, Worker>();
  const withWorkflows = only === undefined || only === 'workflows';
  const bundle = withWorkflows ? { workflowBundle: await workflowBundle() } : {};

  if (!config.splitTaskQueues) {
    const activities = deps ? { activities: createActivities(deps) } : {};
    const taskQueue = queues.workflows;
    workers.set(taskQueue, await Worker.create({ ...common, taskQueue, ...bundle, ...activities }));
    return workers;
  }
  if (withWorkflows) {
    const taskQueue = queues.workflows;
    workers.set(taskQueue, await Worker.create({ ...common, taskQueue, ...bundle }));
  }
  for (const part of ['model', 'tools'] as const) {
    if (!deps || (only !== undefined && only !== part)) continue;
    const taskQueue = queues[part];
    const activities = createActivities(deps, part);
    workers.set(taskQueue, await Worker.create({ ...common, taskQueue, activities }));
  }
  return workers;
}
