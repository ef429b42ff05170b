import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentDefinition } from '../../define/define-agent.ts';
import { registryDefaults } from '../../define/registry-defaults.ts';
import { createRegistry } from '../../define/registry.ts';
import { openClient } from '../../client/open-client.ts';
import { workflowUrl } from '../../client/workflow-url.ts';
import type { Config } from '../../config.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import type { ModelEndpoints } from '../../contract/model-endpoint.ts';
import { openLedgerReader } from '../../ledger/open-ledger.ts';
import { openApiKeys } from './api-keys/postgres-api-keys.ts';
import { createService } from './create-service.ts';
import type { ServicePages } from './pages.ts';
import { readServiceSettings } from './settings.ts';
import { portProblem } from '../../contract/port-problem.ts';

/** For the error where its port is taken. */
const WHAT = 'the HTTP service should listen';
const ADVICE = 'Stop what listens there, or choose another with --port';

export interface ServiceOptions {
  agents: readonly AgentDefinition[];
  models?: ModelEndpoints | undefined;
  /** What extras serve besides. */
  pages?: readonly ServicePages[];
  host: string;
  /** 0: any free one. */
  port: number;
  /** No API keys: whoever reaches the service may do everything. On loopback only. */
  open: boolean;
  /**
   * Ends the service gracefully: it says so at `/readyz` for the drain time and answers as before,
   * then it takes no more requests, and those under way are answered.
   */
  signal: AbortSignal;
  /** Changes the options of its logger. */
  pino?: (options: object) => object;
  /** Ends the drain time, or leaves it out. */
  hurry?: AbortSignal;
  onReady?: (info: { url: string }) => void;
}

/** Of each request to a Temporal that refuses connections: two seconds, and then 503. */
const ATTEMPTS = 5;

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

/**
 * Puts the parts together and serves until the signal. Resolves when everything is closed.
 *
 * @throws {AgentOnceError} a setting or agent that cannot work, a server that does not answer,
 *   `port.in_use`
 */
export async function runService(config: Config, options: ServiceOptions): Promise<void> {
  const { host, port, open, signal } = options;
  if (open && !LOOPBACK.has(host)) {
    throw new AgentOnceError(
      'config.invalid',
      `Without API keys the service listens on this machine alone, not on ${host}. Leave --open out and make keys: agent-once api-keys create <tenant>`,
    );
  }
  const registry = createRegistry(options.agents, registryDefaults(config, options.models));
  const client = await openClient(config, registry, { attempts: ATTEMPTS });
  const { namespace } = client.context.temporal.options;
  const closers = [() => client.close()];
  try {
    const ledger = await openLedgerReader(config.ledgerUrl);
    closers.push(() => ledger.close());
    const apiKeys = open ? undefined : await openApiKeys(config.ledgerUrl);
    if (apiKeys) closers.push(() => apiKeys.close());
    const app = await createService(
      {
        client,
        ledger,
        apiKeys,
        agentOf: (name) => registry.agent(name),
        dedupeWindowMsOf: (agent) => {
          const seconds = registry.agent(agent)?.definition.dedupeWindowSeconds;
          return seconds === undefined ? undefined : seconds * 1_000;
        },
        urlOf: (id) => workflowUrl(config.temporalUiUrl, namespace, id),
        settings: readServiceSettings(),
        leaving: signal,
        logLevel: config.logLevel,
        pino: options.pino ?? ((given) => given),
      },
      options.pages,
    );
    closers.push(() => app.close());
    try {
      await app.listen({ host, port });
    } catch (error) {
      throw portProblem(port, WHAT, ADVICE, error as NodeJS.ErrnoException);
    }
    const { port: bound } = app.server.address() as AddressInfo;
    options.onReady?.({ url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}` });
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await drain(config.drainMs, options.hurry);
  } finally {
    for (const stop of closers.toReversed()) await stop();
  }
}

async function drain(ms: number, hurry: AbortSignal | undefined): Promise<void> {
  if (ms === 0) return;
  await sleep(ms, undefined, hurry ? { signal: hurry } : {}).catch(() => {});
}
