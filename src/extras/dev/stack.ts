import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { lockDataFolder } from './data-lock.ts';
import { keepRunning } from './keep-running.ts';
import type { BesidePart, StartedPart } from './beside.ts';
import { PROJECT_ROOT } from './paths.ts';
import { startPostgres } from './postgres-server.ts';
import { startScriptedModel } from './scripted-model/server.ts';
import { startTemporalServer } from './temporal-server.ts';

/** Ports; 0 takes any free one. */
export interface StackPorts {
  temporal: number;
  ui: number;
  postgres: number;
  model: number;
}

export interface StackOptions {
  /** Everything that is kept lies there; made if missing. */
  dataDir: string;
  ports: StackPorts;
  /** Whether the scripted model is started; otherwise a real one is set in the environment. */
  scriptedModel: boolean;
  /** Servers of the app's own. */
  beside?: readonly BesidePart[];
  /** Temporal namespace that is made besides `default`. */
  namespace?: string | undefined;
  /** `false` for data that nobody misses after a power cut. Default: true. */
  durable?: boolean;
  log?: (line: string) => void;
}

/** Where each part is. */
export interface Stack {
  /** `127.0.0.1:7233` */
  temporal: string;
  ui: string;
  ledger: string;
  /** `undefined` if a real model is set. */
  model: string | undefined;
  /** The app's own servers. */
  beside: readonly StartedPart[];
  /** Stops every part, in the reverse order of their start. */
  stop(): Promise<void>;
}

type Start = (options: {
  port: number;
  databaseUrl: string;
}) => Promise<{ url: string; stop(): Promise<void> }>;

/**
 * Starts everything that a worker talks to. If a part does not start, those that did are stopped
 * again. Temporal and PostgreSQL are started again when they die.
 *
 * @throws {AgentOnceError} `port.in_use`, `part.failed`, `temporal.cli_missing`
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { ports, log = () => undefined } = options;
  const dataDir = path.resolve(options.dataDir);
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (let next = stops.pop(); next !== undefined; next = stops.pop()) await next();
  };
  const opened = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const part = await starting;
    stops.push(() => part.stop());
    return part;
  };

  const unlock = await lockDataFolder(dataDir);
  stops.push(unlock);
  const logs = path.join(dataDir, 'logs');
  await mkdir(logs, { recursive: true });

  const [temporal, postgres, model] = await Promise.allSettled([
    opened(
      keepRunning(
        'Temporal',
        (previous: Awaited<ReturnType<typeof startTemporalServer>> | undefined) =>
          startTemporalServer({
            port: portOf(previous?.address) ?? ports.temporal,
            uiPort: portOf(previous?.uiUrl) ?? ports.ui,
            dbFile: path.join(dataDir, 'temporal.db'),
            logFile: path.join(logs, 'temporal.log'),
            ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
          }),
        log,
      ),
    ),
    opened(
      keepRunning(
        'PostgreSQL',
        (previous: Awaited<ReturnType<typeof startPostgres>> | undefined) =>
          startPostgres({
            dataDir: path.join(dataDir, 'postgres'),
            port: portOf(previous?.url) ?? ports.postgres,
            logFile: path.join(logs, 'postgres.log'),
            durable: options.durable ?? true,
          }),
        log,
      ),
    ),
    options.scriptedModel ? opened(startScriptedModel({ port: ports.model })) : undefined,
  ]);
  try {
    if (temporal.status === 'rejected') throw temporal.reason;
    if (postgres.status === 'rejected') throw postgres.reason;
    if (model.status === 'rejected') throw model.reason;
    const ledger = postgres.value.first.url;
    const beside: StartedPart[] = [];
    for (const part of options.beside ?? []) beside.push(await opened(startBeside(part, ledger)));
    return {
      temporal: temporal.value.first.address,
      ui: temporal.value.first.uiUrl ?? '',
      ledger,
      model: model.value?.url,
      beside,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startBeside(part: BesidePart, databaseUrl: string) {
  const file = path.join(PROJECT_ROOT, part.module);
  const { start } = (await import(pathToFileURL(file).href)) as { start: Start };
  const { url, stop } = await start({ port: part.port, databaseUrl });
  return { ...part, url, stop };
}

/** Of an address or a URL: a part that is started again keeps its port. */
function portOf(address: string | undefined): number | undefined {
  const found = address === undefined ? undefined : /:(\d+)(?:\/|$)/.exec(address)?.[1];
  return found === undefined ? undefined : Number(found);
}
