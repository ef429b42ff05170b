import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../contract/names.ts';
import { startChild, untilReady, type Child } from './child-process.ts';
import { stopLeftover } from './leftover.ts';
import { findFreePort, portInUse, requireFreePort } from './ports.ts';
import { findTemporalCli } from './temporal-cli.ts';

export interface TemporalServerOptions {
  /** Port of the gRPC service; 0 or nothing: any free one. */
  port?: number;
  /** Port of the UI; 0: any free one; nothing: no UI. */
  uiPort?: number;
  /** Port of its Prometheus metrics; nothing: any free one, which nobody is told. */
  metricsPort?: number;
  /** Keeps runs across restarts; without it everything is gone when the server stops. */
  dbFile?: string;
  /** Made at the start, besides `default`. */
  namespace?: string;
  /** More of the server's dynamic configuration, by name. */
  dynamicConfig?: Record<string, string | number | boolean>;
  /** Everything that the server prints is appended there. */
  logFile?: string;
  log?: (line: string) => void;
}

export interface TemporalServer {
  /** `127.0.0.1:7233` */
  address: string;
  /** `undefined` without a UI. */
  uiUrl: string | undefined;
  pid: number;
  /** Resolves when the server ended, asked or not. */
  exited: Promise<unknown>;
  stop(): Promise<void>;
}

/** A stack that was killed a moment ago is still being stopped by its watchdogs. */
const PORT_WAIT_MS = 3_000;
/** By its own limit of 20 transfer tasks a second, every step would take 50 ms longer. */
const DYNAMIC_CONFIG = {
  'history.transferProcessorMaxPollRPS': 5_000,
  // The server tells workers of cancellations.
  'frontend.WorkerCommandsEnabled': true,
  'system.enableCancelActivityWorkerCommand': true,
};
const LEFTOVER_SIGNALS = ['SIGTERM', 'SIGKILL'] as const;

/**
 * Starts Temporal's development server with our search attributes. Resolves once the namespace answers.
 *
 * @throws {AgentOnceError} `temporal.cli_missing`, `port.in_use`, `part.failed`
 */
export async function startTemporalServer(
  options: TemporalServerOptions = {},
): Promise<TemporalServer> {
  const cli = await findTemporalCli();
  const pidFile = options.dbFile === undefined ? undefined : `${path.resolve(options.dbFile)}.pid`;
  if (options.dbFile !== undefined)
    await mkdir(path.dirname(path.resolve(options.dbFile)), { recursive: true });
  if (pidFile !== undefined) await stopLeftoverServer(pidFile, options);

  const chosenByUs = !options.port || options.uiPort === 0;
  for (let attempt = 1; ; attempt++) {
    const port = options.port || (await findFreePort());
    const uiPort = options.uiPort === 0 ? await findFreePort() : options.uiPort;
    await requireFreePort(port, { part: 'Temporal', flag: '--temporal-port' }, PORT_WAIT_MS);
    if (uiPort !== undefined)
      await requireFreePort(uiPort, { part: "Temporal's UI", flag: '--ui-port' }, PORT_WAIT_MS);
    const child = await startChild({
      part: 'Temporal',
      command: cli,
      args: serverArguments(options, port, uiPort),
      // Without a file there is nothing to save, and its graceful shutdown takes seconds.
      stopSignal: options.dbFile === undefined ? 'SIGKILL' : 'SIGTERM',
      graceMs: 5_000,
      logFile: options.logFile,
      onLine: options.log,
    });
    if (pidFile !== undefined) await writeFile(pidFile, `${child.pid}\n`);
    try {
      await waitUntilReady(child, `127.0.0.1:${port}`, options.namespace ?? 'default');
    } catch (error) {
      await child.stop();
      const portTaken = /address already in use|bind:/i.test(child.lastLines());
      if (portTaken && chosenByUs && attempt < 5) continue;
      if (portTaken) throw portInUse(port, { part: 'Temporal', flag: '--temporal-port' });
      throw error;
    }
    return {
      address: `127.0.0.1:${port}`,
      uiUrl: uiPort === undefined ? undefined : `http://127.0.0.1:${uiPort}`,
      pid: child.pid,
      exited: child.exited,
      stop: async () => {
        await child.stop();
        if (pidFile !== undefined) await rm(pidFile, { force: true });
      },
    };
  }
}

function serverArguments(
  options: TemporalServerOptions,
  port: number,
  uiPort: number | undefined,
): string[] {
  return [
    'server',
    'start-dev',
    '--ip=127.0.0.1',
    `--port=${port}`,
    ...(uiPort === undefined ? ['--headless'] : [`--ui-port=${uiPort}`]),
    ...(options.metricsPort === undefined ? [] : [`--metrics-port=${options.metricsPort}`]),
    ...(options.dbFile === undefined ? [] : [`--db-filename=${path.resolve(options.dbFile)}`]),
    ...(options.namespace === undefined ? [] : [`--namespace=${options.namespace}`]),
    ...Object.entries({ ...DYNAMIC_CONFIG, ...options.dynamicConfig }).map(
      ([name, value]) => `--dynamic-config-value=${name}=${JSON.stringify(value)}`,
    ),
    ...Object.entries(SEARCH_ATTRIBUTES).map(
      ([name, type]) => `--search-attribute=${name}=${type}`,
    ),
    '--log-level=warn',
  ];
}

async function waitUntilReady(child: Child, address: string, namespace: string): Promise<void> {
  const connection = Connection.lazy({ address });
  try {
    await untilReady(child, "Temporal's development server", () =>
      connection.withDeadline(Date.now() + 1_000, () =>
        connection.workflowService.describeNamespace({ namespace }),
      ),
    );
  } finally {
    await connection.close();
  }
}

async function stopLeftoverServer(pidFile: string, options: TemporalServerOptions): Promise<void> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  const marker = `--db-filename=${path.resolve(options.dbFile ?? '')}`;
  if (await stopLeftover(pid, marker, LEFTOVER_SIGNALS))
    options.log?.(`stopped a leftover Temporal server (${pid})`);
}
