import type { ClientPlugin } from '@temporalio/client';
import type { BundlerPlugin, WorkerPlugin } from '@temporalio/worker';
import type { Command } from 'commander';
import type { ModelEndpoints } from '../contract/model-endpoint.ts';
import type { AgentDefinition } from '../define/define-agent.ts';
import type { LedgerBackends } from '../ledger/open-ledger.ts';
import type { Sealer } from '../ledger/payload.ts';
import type { ExtendRuntime, ExtendWorker } from '../worker/worker-parts.ts';
import type { OwnActivities } from '../worker/own-activities.ts';
import type { ServingPart } from './commands.ts';

/** What a program is made of: the composition in `src/app/compose.ts`. */
export interface App {
  /** Asked by the commands that need the agents: they bring their tools' imports along. */
  agents: () => Promise<readonly AgentDefinition[]>;
  /** Activities of the app's own, for workflows of its own; asked by workers alone. */
  activities?: () => Promise<OwnActivities>;
  /**
   * The app's folder. In it are `workflows/index.ts`, which exports the engine's workflows and the
   * app's own, and `migrations/*.sql`, for tables of the app's own; either may be missing.
   */
  folder?: string;
  /** Endpoints of models by name, for agents to ask; default: the environment's alone. */
  models?: ModelEndpoints;
  extras: readonly Extra[];
}

/**
 * A folder in `src/extras` that can be deleted. What it imports at its top costs the start of every
 * command: what is heavy is imported where it is used.
 */
export interface Extra {
  name: string;
  /** Adds its commands, after those of the engine. */
  commands?(program: Command, app: App): void;
  /** Backends of the ledger, by the scheme of `LEDGER_URL`. */
  ledgers?: LedgerBackends;
  /** What encrypts the ledger's records; asked each time. */
  sealer?: () => Sealer;
  /**
   * Wraps or replaces parts of `agent-once worker`: its ledger, its model, its agents and tools. Given
   * the parts, it returns those to work with; the extras are called in the order of the composition.
   */
  worker?: ExtendWorker;
  /**
   * Plugins of Temporal's library, such as a data converter or interceptors: for each client, each
   * worker and the workflows' bundle of the app. Asked each time that one connects.
   */
  plugins?(): Promise<readonly (ClientPlugin & WorkerPlugin & BundlerPlugin)[]>;
  /** Path of its pages about runs in the HTTP service: links lead there. */
  runPages?: string;
  /** Makes the log of what serves. It comes first, wherever the composition has the extra. */
  log?: OwnLog;
  /** Changes how Temporal's library logs and measures in `agent-once worker`, before it does anything. */
  runtime?: ExtendRuntime;
}

/** A log of an extra's own. */
interface OwnLog {
  /** Called before anything of the command, and of other extras, is done or said. */
  open(part: ServingPart): Promise<void>;
  /** Makes the log of Temporal's library in `agent-once worker`; what others make of it comes after. */
  runtime: ExtendRuntime;
  /** Changes the options, and the `stream`, of a part that has a logger of pino's, as the HTTP service has. */
  pino(options: object): object;
}

/** Types the composition. */
export function defineApp(app: App): App {
  return app;
}
