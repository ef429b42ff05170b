import { setMaxListeners } from 'node:events';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Runtime, type RuntimeOptions, type Worker } from '@temporalio/worker';
import type { ActivityDeps } from '../activities/deps.ts';
import { createFaults } from '../activities/faults.ts';
import { Transcripts } from '../activities/model/transcripts.ts';
import { WorkerLease } from '../activities/step/worker-lease.ts';
import { outsideSteps } from '../activities/step/step-code.ts';
import type { AgentDefinition } from '../define/define-agent.ts';
import { registryDefaults } from '../define/registry-defaults.ts';
import { createRegistry } from '../define/registry.ts';
import { DEV_PORTS, usesScriptedModel, type Config } from '../config.ts';
import { defined } from '../contract/defined.ts';
import { AgentOnceError } from '../contract/errors.ts';
import type { ModelEndpoint, ModelEndpoints } from '../contract/model-endpoint.ts';
import { openLedger } from '../ledger/open-ledger.ts';
import { createModels } from '../model/openai/models.ts';
import type { Model } from '../model/port.ts';
import { costUsd, loadPrices } from '../model/prices.ts';
import { assertRetentionSuffices, searchAttributesProblem } from './check-namespace.ts';
import { prepareCleaning } from './cleaning.ts';
import { connectWorker } from './connect.ts';
import { createWorkers, type Part } from './create-workers.ts';
import { startHealthServer, type Needs } from './health.ts';
import { LedgerTrouble } from './ledger-trouble.ts';
import { createLogger, noticeFailure } from './log.ts';
import { runUntilStopped } from './run-until-stopped.ts';
import { watchStrays } from './strays.ts';
import { talkToTemporal } from './talk-to-temporal.ts';
import { prepareActivities, type OwnActivities } from './own-activities.ts';
import { watchLedger } from './watched-ledger.ts';
import type { ExtendRuntime, ExtendWorker, WorkerParts } from './worker-parts.ts';

/** A worker that has begun to take work. */
export interface ReadyWorker {
  address: string;
  namespace: string;
  taskQueues: string[];
  /** Who tells it of cancellations: the server at once, the ledger within a second, or its heartbeats. */
  cancellation: 'server' | 'ledger' | 'heartbeat';
}

export interface WorkerOptions {
  agents: readonly AgentDefinition[];
  /** Endpoints of models that agents name. */
  models?: ModelEndpoints | undefined;
  /** Of the app's own workflows. */
  activities?: OwnActivities | undefined;
  /** The app's folder, for workflows and migrations of its own. */
  folder?: string | undefined;
  only?: Part | undefined;
  /** Ends the worker gracefully: no new work, then what is under way gets its time. */
  signal: AbortSignal;
  /** How long steps under way may take once the worker is told to stop; default 10 s. */
  graceMs?: number;
  /** Wrap or replace parts of the worker, one after the other. */
  extend?: readonly ExtendWorker[];
  /** Change how Temporal's library logs and measures. */
  runtime?: readonly ExtendRuntime[];
  onReady?: (info: ReadyWorker) => void;
}

const GRACE_MS = 10_000;
/** For each part that is closed when the process has to leave. */
const CLOSE_MS = 3_000;

/**
 * Puts the parts together and works until the signal. Resolves when everything is closed.
 *
 * @throws {AgentOnceError} a setting, agent or tool that cannot work, a server that does not answer;
 *   `worker.…`: why it could not go on. Then the process must end, whatever is still open in it
 */
export async function runWorker(config: Config, options: WorkerOptions): Promise<void> {
  const { only, signal, extend = [], runtime = [], graceMs = GRACE_MS } = options;
  if (only !== undefined && !config.splitTaskQueues) {
    throw new AgentOnceError(
      'config.invalid',
      `--only ${only} needs split task queues: set AGENT_ONCE_SPLIT_TASK_QUEUES=on for every worker and every caller.`,
    );
  }
  const registry = createRegistry(options.agents, registryDefaults(config, options.models));
  // Before anything is connected to: what is wrong here is told at once.
  const activities = prepareActivities(options.activities ?? {});
  const model = only === 'workflows' ? undefined : createModel(config, options.models);
  const faults = createFaults(config.fault);
  let failure: unknown;
  const base: RuntimeOptions = { logger: createLogger(config.logLevel), shutdownSignals: [] };
  const extended = runtime.reduce((before, each) => each(before, config), base);
  const logger = noticeFailure(extended.logger ?? createLogger(config.logLevel), (reason) => {
    failure ??= reason;
  });
  Runtime.install({ ...extended, logger });

  const leaving = new AbortController();
  const leave = (why: AgentOnceError): void => leaving.abort(why);
  const stopWatching = watchStrays(logger, leave);
  const closing: (() => Promise<void>)[] = [];
  try {
    const temporal = await connectWorker();
    closing.push(() => temporal.connection.close());
    assertRetentionSuffices(registry, temporal);
    const problem = config.searchAttributes && (await searchAttributesProblem(temporal));
    if (problem) logger.warn(problem);

    const { tellLeft, isOpen, ping } = talkToTemporal(temporal);
    const needs: Needs = { temporal: ping };
    const trouble = new LedgerTrouble(config.refusedLimitMs, logger, leave);
    let deps: ActivityDeps | undefined;
    if (model) {
      const { ledgerPool: poolSize } = config;
      const use = { tools: registry.tools(), app: options.folder, poolSize };
      const opened = await openLedger(config.ledgerUrl, use);
      closing.push(() => opened.close());
      if (opened.remark !== undefined) logger.warn(opened.remark);
      needs['ledger'] = () => opened.identity();
      const cleaning = await prepareCleaning(config, temporal, opened, only !== 'model', logger);
      const watched = watchLedger(opened, trouble);
      closing.push(() => Promise.resolve(watched.close()));
      const prices = await loadPrices(config.pricesFile);
      const lease = opened.leases && new WorkerLease(opened.leases, tellLeft);
      await lease?.begin();
      if (lease) closing.push(() => lease.close());
      const parts: WorkerParts = {
        ledger: watched.ledger,
        model,
        agents: registry,
        costUsd: (name, usage, endpoint) =>
          costUsd(prices, name, usage, { baseUrl: baseUrlOf(config, options.models, endpoint) }),
      };
      deps = {
        ...extend.reduce((before, each) => each(before), parts),
        ...defined({ cleaning, lease }),
        transcripts: new Transcripts(),
        worker: `${process.pid}@${os.hostname()}`,
        faults,
        pushed: temporal.pushesCancellations,
        isOpen,
        shadowOnly: config.shadowOnly,
        stopped: afterGrace([signal, leaving.signal], graceMs),
        suspected: () => isStrayError(leaving.signal.reason),
      };
    }
    let workers = new Map<string, Worker>();
    // Before any worker: one that exists and never ran cannot be closed.
    if (config.healthPort !== undefined) {
      const states = () => [...workers].map(([queue, it]) => [queue, it.getState()] as const);
      const read = () => ({ workers: states(), trouble: trouble.now });
      closing.push(await startHealthServer(config.healthPort, read, needs, signal, config.drainMs));
    }
    const own = { folder: options.folder, activities };
    workers = await createWorkers(config, temporal, deps, own, graceMs, only);
    const all = [...workers.values()];
    const running = runUntilStopped(all, signal, leaving, graceMs, () => failure);
    options.onReady?.({
      address: temporal.address,
      namespace: temporal.namespace,
      taskQueues: [...workers.keys()],
      cancellation: temporal.pushesCancellations ? 'server' : deps?.lease ? 'ledger' : 'heartbeat',
    });
    await running;
  } finally {
    stopWatching();
    await closeAll(closing.toReversed(), leaving.signal.aborted);
  }
  if (leaving.signal.aborted) throw leaving.signal.reason;
}

/** Closes one after another; where the process has to leave, none of them may keep it for long. */
async function closeAll(closing: (() => Promise<void>)[], leaving: boolean): Promise<void> {
  for (const close of closing) {
    const closed = close();
    if (!leaving) await closed;
    else await Promise.race([closed.catch(() => {}), sleep(CLOSE_MS)]);
  }
}

function isStrayError(reason: unknown): boolean {
  return reason instanceof AgentOnceError && reason.code === 'worker.stray_error';
}

/** Aborts once the time is over that steps under way have when the worker is told to stop. */
function afterGrace(signals: readonly AbortSignal[], graceMs: number): AbortSignal {
  const over = new AbortController();
  // One listener for each call of the fast lane that is under way.
  setMaxListeners(0, over.signal);
  const begin = (): void => void setTimeout(() => over.abort(), graceMs).unref();
  for (const signal of signals) {
    if (signal.aborted) begin();
    signal.addEventListener('abort', begin, { once: true });
  }
  return over.signal;
}

/** `undefined`: OpenAI's own. */
function baseUrlOf(config: Config, models: ModelEndpoints = {}, endpoint?: string) {
  return endpoint === undefined ? config.openaiBaseUrl : models[endpoint]?.baseUrl;
}

/** @throws {AgentOnceError} `config.invalid` */
function createModel(config: Config, endpoints: ModelEndpoints = {}): Model {
  const preset: ModelEndpoint = {
    baseUrl: usesScriptedModel(config)
      ? `http://127.0.0.1:${DEV_PORTS.model}/v1`
      : config.openaiBaseUrl,
    apiKey: config.openaiApiKey,
    api: config.openaiApi,
    dialect: config.openaiDialect,
    outputLimitField: config.openaiOutputLimitField,
    structured: config.openaiStructured,
    headers: config.openaiHeaders,
    stream: config.openaiStream,
    background: config.openaiBackground,
  };
  const model = createModels(preset, endpoints);
  // Its connections are of all steps.
  return { ...model, complete: (...call) => outsideSteps(() => model.complete(...call)) };
}
