import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { PROJECT_ROOT } from '../src/extras/dev/paths.ts';
import { findFreePort } from '../src/extras/dev/ports.ts';
import { runToEnd, type Command } from './containers.ts';
import { buildImage, type Image } from './image.ts';
import { startPart, type Part } from './part.ts';
import { readCompose, type ComposeFile } from './read-compose.ts';
import { runOurs, runPostgres, runTemporal } from './run-parts.ts';
import { commandOf, logOf, makeFolder, place, TEMPORAL } from './set-up.ts';
import { findTemporalPrograms } from './temporal-programs.ts';

export interface SystemOptions {
  /** What stands in the environment of `docker compose up`. */
  variables: Record<string, string>;
  /** More for the workers: what Compose does not have, as the shop. */
  workers: Record<string, string>;
  /** More for the first process of the worker with the tools, as a fault. */
  firstTools?: Record<string, string>;
  /** What stops it is added there, also of a system that starts in part; the last first. */
  stops: (() => Promise<unknown>)[];
  tell: (line: string) => void;
}

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
}

/** Workers of split task queues, one for each. */
const QUEUES = ['workflows', 'model', 'tools'];
const SPLIT = { AGENT_ONCE_SPLIT_TASK_QUEUES: 'on' };

/**
 * Starts what docker-compose.yml says in the order that it says, with its commands and variables.
 *
 * @throws {Error} a part does not start
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const { stops, tell } = options;
  const file = readCompose(
    await readFile(path.join(PROJECT_ROOT, 'docker-compose.yml'), 'utf8'),
    options.variables,
  );
  const temporal = await findTemporalPrograms(versionOf(file, 'temporal'), tell);
  const folder = await makeFolder();
  stops.push(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  tell('Building what the Dockerfile puts into the image …');
  const image = await buildImage(folder);
  const setUp = await place(file, folder, temporal);
  const parts = new Map<string, Part>();
  const services: string[] = [];
  /** The processes of one service start and stop together. */
  const start = async (runs: Readonly<Record<string, StartOne>>): Promise<void> => {
    const group: Part[] = [];
    stops.push(() => Promise.all(group.map((part) => part.stop())));
    const starting = Object.entries(runs).map(async ([name, run]) => {
      const part = await startPart(name, run, tell);
      group.push(part);
      tell(`${name} is well.`);
    });
    const failed = (await Promise.allSettled(starting)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    for (const name of Object.keys(runs)) {
      const part = group.find((each) => each.name === name);
      if (part) parts.set(name, part);
    }
  };
  for (const [name, service] of file.services) {
    const command = commandOf(name, service, setUp, image);
    if (name === 'postgres') {
      await start({ [name]: () => runPostgres(service, setUp) });
    } else if (name === 'temporal') {
      await start({ [name]: () => runTemporal(command, setUp, temporal) });
    } else if (name === 'worker') {
      await start(
        Object.fromEntries(QUEUES.map((queue) => workerOf(queue, command, image, options))),
      );
    } else if (name === 'service') {
      const ports = [await findFreePort(), await findFreePort()];
      services.push(...ports.map((port) => `http://127.0.0.1:${port}`));
      await start(
        Object.fromEntries(ports.map((port, at) => serviceOf(at + 1, port, command, image))),
      );
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
  };
}

type StartOne = Parameters<typeof startPart>[1];

function workerOf(
  queue: string,
  command: Command,
  image: Image,
  options: SystemOptions,
): [string, StartOne] {
  const name = `worker-${queue}`;
  const words = [...command.words, '--only', queue];
  const first = queue === 'tools' ? (options.firstTools ?? {}) : {};
  return [
    name,
    (again) => {
      const env = { ...command.env, ...SPLIT, ...options.workers, ...(again ? {} : first) };
      return runOurs({ ...command, name, words, env, logFile: logOf(name) }, image);
    },
  ];
}

function serviceOf(
  number: number,
  port: number,
  command: Command,
  image: Image,
): [string, StartOne] {
  const name = `service-${number}`;
  const words = [...command.words, '--port', String(port)];
  const env = { ...command.env, ...SPLIT };
  return [name, () => runOurs({ ...command, name, words, env, logFile: logOf(name) }, image, port)];
}

function versionOf({ services }: ComposeFile, name: string): string {
  const version = /:(\d+\.\d+\.\d+)$/.exec(services.get(name)?.image ?? '')?.[1];
  if (version === undefined) {
    throw new Error(`docker-compose.yml names no version of the image of ${name}.`);
  }
  return version;
}
