import type { AgentOnceClient } from '../../client/agent-once-client.ts';
import type { RegisteredAgent } from '../../define/registry.ts';
import type { LedgerReader } from '../../ledger/reader.ts';
import type { ApiKeys } from './api-keys/port.ts';
import type { ServiceSettings } from './settings.ts';

/** What the routes work with; `run-service.ts` puts it together. */
export interface ServiceDeps {
  client: AgentOnceClient;
  ledger: LedgerReader;
  /** The agents that this service was built with; `undefined`: it has none of this name. */
  agentOf: (name: string) => RegisteredAgent | undefined;
  /** How long a request without a key names its run, in milliseconds, where the agent allows that. */
  dedupeWindowMsOf: (agent: string) => number | undefined;
  /** `undefined`: whoever reaches the service may do everything, as the default tenant. */
  apiKeys: ApiKeys | undefined;
  /** Where Temporal UI shows a workflow. */
  urlOf: (workflowId: string) => string;
  settings: ServiceSettings;
  /** Aborts when the service is told to stop: for a while it still answers. */
  leaving: AbortSignal;
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Changes the options of its logger. */
  pino: (options: object) => object;
}
