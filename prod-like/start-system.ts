import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CACHE_DIR, PROJECT_ROOT } from '../src/extras/dev/paths.ts';
import { findFreePort } from '../src/extras/dev/ports.ts';
import { startPostgres } from '../src/extras/dev/postgres-server.ts';
import { findTemporalCli } from '../src/extras/dev/temporal-cli.ts';
import { checkHealth, checkPort, runToEnd, runToHealth, type Command } from './containers.ts';
import { buildImage, type Image } from './image.ts';
import { findLowPort } from './low-port.ts';
import { startPart, type Part } from './part.ts';
import { placeEnvironment, wrapSqlTool, type Places } from './places.ts';
import { readCompose, type ComposeFile, type ComposeService } from './read-compose.ts';
import { findTemporalPrograms, type TemporalPrograms } from './temporal-programs.ts';

export interface SystemOptions {
  /** What stands in the environment of `docker compose up`. */
  variables: Record<string, string>;
  /** More for the workers: what Compose does not have, as the shop. */
  workers: Record<string, string>;
  /** More for the first process of the worker with the tools, as a fault. */
  firstTools?: Record<string, string>;
  tell: (line: string) => void;
}

/** What each part of the last system said. */
export const LOGS = path.join(CACHE_DIR, 'prod-like', 'logs');

/** What docker-compose.yml starts, as processes, with workers of split queues and two services. */
export interface System {
  /** `127.0.0.1:41233` */
  temporal: string;
  ledgerUrl: string;
  /** Where the services are. */
  services: readonly string[];
  /** All that stay, by name: `postgres`, `temporal`, `worker-tools`, `service-1` … */
  parts: ReadonlyMap<string, Part>;
  /** A command in a container of its own, as `docker compose run --rm service …`. */
  agentOnce(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

/** Workers of split task queues, one for each. */
const QUEUES = ['workflows', 'model', 'tools'];
const SPLIT = { AGENT_ONCE_SPLIT_TASK_QUEUES: 'on' };
/** Ports of Temporal's that no other container sees, and that are everybody's here. */
const INNER_PORTS = [
  'FRONTEND_HTTP_PORT',
  'FRONTEND_MEMBERSHIP_PORT',
  'MATCHING_GRPC_PORT',
  'MATCHING_MEMBERSHIP_PORT',
  'HISTORY_GRPC_PORT',
  'HISTORY_MEMBERSHIP_PORT',
  'WORKER_GRPC_PORT',
  'WORKER_MEMBERSHIP_PORT',
];
/** What `startPostgres` makes, and what the Compose file must ask for so. */
const POSTGRES = { POSTGRES_PASSWORD: 'postgres', POSTGRES_DB: 'agent_once' };

/**
 * Starts what docker-compose.yml says in the order that it says, with its commands and variables.
 *
 * @throws {Error} a part does not start; those that did are stopped again
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const { tell } = options;
  const file = readCompose(
    await readFile(path.join(PROJECT_ROOT, 'docker-compose.yml'), 'utf8'),
    options.variables,
  );
  const temporal = await findTemporalPrograms(versionOf(file, 'temporal'), tell);
  const folder = await makeFolder();
  const stops: (() => Promise<unknown>)[] = [
    () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  ];
  const stop = async (): Promise<void> => {
    for (let next = stops.pop(); next !== undefined; next = stops.pop()) await next();
  };
  try {
    tell('Building what the Dockerfile puts into the image …');
    const image = await buildImage(folder);
    const setUp = await place(file, folder, temporal);
    const parts = new Map<string, Part>();
    const services: string[] = [];
    const start = async (name: string, run: Parameters<typeof startPart>[1]): Promise<void> => {
      const part = await startPart(name, run, tell);
      stops.push(() => part.stop());
      parts.set(name, part);
      tell(`${name} is well.`);
    };
    for (const [name, service] of file.services) {
      const command = commandOf(name, service, setUp, image);
      if (name === 'postgres') {
        checkPostgres(service);
        await start(name, () => runPostgres(service, setUp));
      } else if (name === 'temporal') {
        await start(name, () => runTemporal(command, setUp, temporal));
      } else if (name === 'worker') {
        for (const queue of QUEUES) {
          const words = [...command.words, '--only', queue];
          const first = queue === 'tools' ? (options.firstTools ?? {}) : {};
          await start(`worker-${queue}`, async (again) => {
            const env = { ...command.env, ...SPLIT, ...options.workers, ...(again ? {} : first) };
            return runOurs({ ...command, name: `worker-${queue}`, words, env }, image);
          });
        }
      } else if (name === 'service') {
        for (const number of [1, 2]) {
          const port = await findFreePort();
          const words = [...command.words, '--port', String(port)];
          const env = { ...command.env, ...SPLIT };
          services.push(`http://127.0.0.1:${port}`);
          await start(`service-${number}`, () =>
            runOurs({ ...command, name: `service-${number}`, words, env }, image, port),
          );
        }
      } else if (service.restart === undefined) {
        await runToEnd(command);
        tell(`${name} has done its work.`);
      } else {
        tell(`${name} is left out: ${service.image} is not among the Go modules.`);
      }
    }
    const ours = file.services.get('service');
    if (ours === undefined) throw new Error('docker-compose.yml has no service `service`.');
    const { env, words } = commandOf('service', { ...ours, command: [] }, setUp, image);
    return {
      temporal: setUp.places.addresses.get(TEMPORAL) ?? '',
      ledgerUrl: env['LEDGER_URL'] ?? '',
      services,
      parts,
      agentOnce: async (...args) => {
        const [program = '', ...before] = words;
        const { stdout } = await promisify(execFile)(program, [...before, ...args], { env });
        return stdout;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const POSTGRES_ADDRESS = 'postgres:5432';
const TEMPORAL = 'temporal:7233';

interface SetUp {
  folder: string;
  places: Places;
  services: readonly string[];
  /** Temporal's ports, by variable; the same after each restart. */
  inner: Readonly<Record<string, string>>;
}

async function makeFolder(): Promise<string> {
  const parent = path.join(CACHE_DIR, 'prod-like');
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(path.join(parent, 'run-'));
  // PostgreSQL runs as another user where this runs as root.
  await chmod(folder, 0o755);
  for (const each of ['bin', 'configs', 'home']) await mkdir(path.join(folder, each));
  await rm(LOGS, { recursive: true, force: true });
  await mkdir(LOGS);
  return folder;
}

/** Where each container's things are here, and the programs that the containers' commands call. */
async function place(
  file: ComposeFile,
  folder: string,
  temporal: TemporalPrograms,
): Promise<SetUp> {
  const files = new Map([['/etc/temporal/schema', temporal.schema]]);
  for (const [name, { content }] of Object.entries(file.configs)) {
    const here = path.join(folder, 'configs', name);
    await writeFile(here, content);
    for (const { configs } of file.services.values()) {
      for (const { source, target } of configs) if (source === name) files.set(target, here);
    }
  }
  const addresses = new Map<string, string>();
  for (const each of [POSTGRES_ADDRESS, TEMPORAL]) {
    addresses.set(each, `127.0.0.1:${await findLowPort()}`);
  }
  const places = { addresses, files };
  const bin = path.join(folder, 'bin');
  await symlink(await findTemporalCli(), path.join(bin, 'temporal'));
  await symlink(temporal.server, path.join(bin, 'temporal-server'));
  const tool = wrapSqlTool(temporal.sqlTool, POSTGRES_ADDRESS, places);
  await writeFile(path.join(bin, 'temporal-sql-tool'), tool, { mode: 0o755 });
  const inner: Record<string, string> = {};
  for (const each of INNER_PORTS) inner[each] = String(await findLowPort());
  return { folder, places, services: [...file.services.keys()], inner };
}

/** What a container of a service would run, with nothing of this process's environment but the PATH. */
function commandOf(name: string, service: ComposeService, setUp: SetUp, image: Image): Command {
  const { folder, places, services } = setUp;
  const { entrypoint, environment } = service.build === undefined ? {} : image;
  const [program = '', ...words] = [
    ...(service.entrypoint ?? entrypoint ?? []),
    ...(service.command ?? []),
  ].map(image.place);
  return {
    name,
    // The Node of this process.
    words: [program === 'node' ? process.execPath : program, ...words],
    env: {
      PATH: `${path.join(folder, 'bin')}${path.delimiter}${process.env['PATH']}`,
      HOME: path.join(folder, 'home'),
      ...environment,
      ...placeEnvironment(service.environment, services, places),
    },
    logFile: path.join(LOGS, `${name}.log`),
  };
}

function checkPostgres({ environment }: ComposeService): void {
  for (const [name, value] of Object.entries(POSTGRES)) {
    if (environment[name] === value) continue;
    throw new Error(`${name} of the service postgres must be ${value} here.`);
  }
}

function runPostgres({ command = [] }: ComposeService, { folder, places }: SetUp) {
  return startPostgres({
    dataDir: path.join(folder, 'postgres'),
    port: Number(places.addresses.get(POSTGRES_ADDRESS)?.split(':')[1]),
    logFile: path.join(LOGS, 'postgres.log'),
    // The image's own, where the command says nothing else; `startPostgres` has more.
    settings: { max_connections: '100', ...settingsOf(command) },
  });
}

/** Of `postgres -c name=value …`. */
function settingsOf([program, ...words]: readonly string[]): Record<string, string> {
  const settings: Record<string, string> = {};
  for (let at = 0; at < words.length; at += 2) {
    const [, name, value] = /^(\w+)=(.*)$/.exec(words[at + 1] ?? '') ?? [];
    if (program !== 'postgres' || words[at] !== '-c' || name === undefined) {
      throw new Error(
        'The command of the service postgres is not of the form postgres -c NAME=VALUE.',
      );
    }
    settings[name] = value ?? '';
  }
  return settings;
}

async function runTemporal(
  command: Command,
  { places, inner }: SetUp,
  { entrypoint }: TemporalPrograms,
) {
  const port = Number(places.addresses.get(TEMPORAL)?.split(':')[1]);
  const env = {
    ...command.env,
    ...inner,
    FRONTEND_GRPC_PORT: String(port),
    // The image looks up the container's own address.
    TEMPORAL_BROADCAST_ADDRESS: '127.0.0.1',
  };
  // It asks for a shell that knows `pipefail`; that of the image does.
  return runToHealth({ ...command, words: ['bash', entrypoint], env }, () => checkPort(port));
}

/** A worker or a service; its health is asked as the image asks. */
async function runOurs(command: Command, image: Image, port?: number) {
  const health = port ?? (await findFreePort());
  const [program = '', ...words] = image.healthCheck.map(image.place);
  const check = [program === 'node' ? process.execPath : program, ...words, String(health)];
  const env =
    port === undefined
      ? { ...command.env, AGENT_ONCE_HEALTH_PORT: String(health) }
      : { ...command.env };
  return runToHealth({ ...command, env }, async () => {
    // A process each time, on a machine that is busy with the others' starts.
    await sleep(250);
    await checkHealth(check, env);
  });
}

function versionOf({ services }: ComposeFile, name: string): string {
  const version = /:(\d+\.\d+\.\d+)$/.exec(services.get(name)?.image ?? '')?.[1];
  if (version === undefined) {
    throw new Error(`docker-compose.yml names no version of the image of ${name}.`);
  }
  return version;
}
