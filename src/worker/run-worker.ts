import { setMaxListeners } from 'node:events';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Runtime, type Worker } from '@temporalio/worker';
import type { ActivityDeps } from '../activities/deps.ts';
import { createFaults } from '../activities/faults.ts';
import { outsideSteps } from '../activities/step/step-code.ts';
import type { AgentDefinition } from '../define/define-agent.ts';
import { registryDefaults } from '../define/registry-defaults.ts';
import { createRegistry, type Registry } from '../define/registry.ts';
import { DEV_PORTS, usesScriptedModel, type Config } from '../config.ts';
import { AgentOnceError } from '../contract/errors.ts';
import { openLedger } from '../ledger/open-ledger.ts';
import type { Ledger } from '../ledger/port.ts';
import { createOpenAiModel } from '../model/openai/openai-model.ts';
import type { Model } from '../model/port.ts';
import { costUsd, loadPrices } from '../model/prices.ts';
import { prepareCleaning } from './cleaning.ts';
import { connectWorker } from './connect.ts';
import { createWorkers, type Part } from './create-workers.ts';
import { startHealthServer } from './health.ts';
import { LedgerTrouble, type Trouble } from './ledger-trouble.ts';
import { createLogger } from './log.ts';
import { assertKeysOutliveNothing } from './retention.ts';
import { runUntilStopped } from './run-until-stopped.ts';
import { searchAttributesProblem } from './search-attributes.ts';
import { watchStrays } from './strays.ts';
import { watchLedger } from './watched-ledger.ts';
import { weakenLedger } from './weakened-ledger.ts';

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
/** For each part that is closed when the process has to leave. */
const CLOSE_MS = 3_000;

/**
 * Puts the parts together and works until the signal. Resolves when everything is closed.
 *
 * @throws {AgentOnceError} a setting, agent or tool that cannot work, a server that does not answer;
 *   `worker.…`: why it could not go on. Then the process must end, whatever is still open in it
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
  let failure: unknown;
  const logger = createLogger(config.logLevel, (reason) => (failure ??= reason));
  Runtime.install({ logger, shutdownSignals: [] });

  const leaving = new AbortController();
  const stopWatching = watchStrays(logger, (why) => leaving.abort(why));
  const closing: (() => Promise<void>)[] = [];
  try {
    const temporal = await connectWorker();
    closing.push(() => temporal.connection.close());
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

    const trouble = createTrouble(config, logger, leaving);
    let deps: ActivityDeps | undefined;
    if (model) {
      const opened = await openLedger(config.ledgerUrl, { tools: registry.tools() });
      closing.push(() => opened.close());
      const cleaning = await prepareCleaning(config, temporal, opened, only !== 'model');
      for (const warning of cleaning.warnings) logger.warn(warning);
      const watched = watchLedger(opened, trouble);
      closing.push(() => Promise.resolve(watched.close()));
      const parts = await composeDeps(config, registry, watched.ledger, model, faults);
      const suspected = (): boolean => isStrayError(leaving.signal.reason);
      const stopped = afterGrace([signal, leaving.signal], graceMs);
      deps = { ...parts, ...cleaning.deps, stopped, suspected };
    }
    let workers = new Map<string, Worker>();
    // Before any worker: one that exists and never ran cannot be closed.
    if (config.healthPort !== undefined) {
      const health = await startHealthServer(
        config.healthPort,
        () => ({
          workers: [...workers].map(([queue, worker]) => [queue, worker.getState()] as const),
          trouble: trouble.now,
        }),
        { signal, ms: config.drainMs },
      );
      closing.push(() => health.close());
    }
    workers = await createWorkers(config, temporal, deps, graceMs, only);
    const all = [...workers.values()];
    const running = runUntilStopped(all, signal, leaving, graceMs, () => failure);
    options.onReady?.({
      address: temporal.address,
      namespace: temporal.namespace,
      taskQueues: [...workers.keys()],
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

const BEGAN: Record<Trouble['what'], string> = {
  refused: 'The ledger refuses this worker, which is not healthy now',
  restored: 'The ledger lacks what a run has recorded, and this worker is not healthy now',
  unreachable: 'The ledger does not answer',
};

function createTrouble(
  { refusedLimitMs }: Config,
  logger: ReturnType<typeof createLogger>,
  leaving: AbortController,
): LedgerTrouble {
  return new LedgerTrouble(refusedLimitMs, {
    began: ({ what, error }) => logger.error(BEGAN[what], { error }),
    ended: () => logger.info('The ledger takes the calls of this worker again'),
    tooLong: (trouble) => leaving.abort(tooLong(trouble)),
  });
}

function tooLong({ what, since, error }: Trouble): AgentOnceError {
  const [met, mend] =
    what === 'restored'
      ? ['lacked what runs have recorded', 'Start the worker again once that is mended.']
      : [
          'refused this worker',
          'Start the worker again with the credentials, rights and certificates that hold now.',
        ];
  return new AgentOnceError(
    'worker.refused',
    `The ledger has ${met} since ${since.toISOString()}, and the worker ends. It said: ${error.message} ` +
      `Steps under way were given time to end, and are tried again; no run fails by this. ${mend} AGENT_ONCE_REFUSED_LIMIT says how long it waits for that.`,
    { cause: error },
  );
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

async function composeDeps(
  config: Config,
  registry: Registry,
  ledger: Ledger,
  model: Model,
  faults: ActivityDeps['faults'],
): Promise<Omit<ActivityDeps, 'stopped' | 'suspected'>> {
  const prices = await loadPrices(config.pricesFile);
  const { testNoFence: noFence, testNoClaim: noClaim } = config;
  return {
    ledger: weakenLedger(ledger, { noFence, noClaim }),
    // Its connections are of all steps.
    model: { complete: (request, context) => outsideSteps(() => model.complete(request, context)) },
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
