import { collectDefaultMetrics, Registry } from 'prom-client';
import type { RuntimeOptions } from '@temporalio/worker';
import { say } from '../../cli/output.ts';
import type { AgentOnceClient } from '../../client/agent-once-client.ts';
import { openClient } from '../../client/open-client.ts';
import { readConfig } from '../../config.ts';
import type { WorkerParts } from '../../worker/worker-parts.ts';
import { createInstruments, tellConnections, tellStart } from './instruments.ts';
import { measureLedger } from './measured-ledger.ts';
import { measureModel } from './measured-model.ts';
import { measureStarts } from './measured-starts.ts';
import { tellQuestions } from './open-questions.ts';
import { findFreePort, startMetricsServer } from './serve-metrics.ts';
import { tellTaskQueues } from './task-queues.ts';

/** A process that tells its metrics. */
export interface Exposed {
  runtime(options: RuntimeOptions): RuntimeOptions;
  worker(parts: WorkerParts): WorkerParts;
  close(): Promise<void>;
}

/**
 * Tells the metrics of this process at `GET /metrics`.
 *
 * @param port 0: any free one
 * @param part of the program that the process is: `worker` is a worker of everything
 * @throws {AgentOnceError} `port.in_use`
 */
export async function expose(port: number, part: string): Promise<Exposed> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  let opened: Promise<AgentOnceClient> | undefined;
  /** With the first scrape. */
  const client = (): Promise<AgentOnceClient> =>
    (opened ??= openClient(readConfig()).catch((error: unknown) => {
      opened = undefined;
      throw error;
    }));
  let core: number | undefined;
  if (part === 'service') measureStarts(registry);
  else core = await findFreePort();
  // One kind of process is enough: the others would say the same.
  if (part === 'worker' || part === 'workflows') {
    tellQuestions(registry, client);
  }
  tellTaskQueues(registry, client);
  tellStart(registry, part);
  const server = await startMetricsServer(port, registry, core);
  say(`Metrics are at http://127.0.0.1:${server.port}/metrics`);
  return {
    runtime: (options) => ({
      ...options,
      telemetryOptions: {
        ...options.telemetryOptions,
        metrics: {
          // For this process alone, which tells them with its own.
          prometheus: {
            bindAddress: `127.0.0.1:${core}`,
            countersTotalSuffix: true,
            unitSuffix: true,
            useSecondsForDurations: true,
          },
        },
      },
    }),
    worker(parts) {
      const instruments = createInstruments(registry);
      tellConnections(registry, parts.ledger);
      return {
        ...parts,
        ledger: measureLedger(parts.ledger, instruments),
        model: measureModel(parts, instruments),
      };
    },
    async close() {
      await server.close();
      await (await opened?.catch(() => undefined))?.close();
    },
  };
}
