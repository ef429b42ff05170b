import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CACHE_DIR } from '../src/extras/dev/paths.ts';
import { findTemporalCli } from '../src/extras/dev/temporal-cli.ts';
import type { Command } from './containers.ts';
import type { Image } from './image.ts';
import { findLowPort } from './low-port.ts';
import { placeEnvironment, wrapSqlTool, type Places } from './places.ts';
import type { ComposeFile, ComposeService } from './read-compose.ts';
import type { TemporalPrograms } from './temporal-programs.ts';

/** What each part of the last system said. */
const LOGS = path.join(CACHE_DIR, 'prod-like', 'logs');

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
/** Addresses of the Compose file's. */
export const POSTGRES = 'postgres:5432';
export const TEMPORAL = 'temporal:7233';

/** What is laid out before anything starts. */
export interface SetUp {
  /** Of this system alone; removed with it. */
  folder: string;
  places: Places;
  services: readonly string[];
  /** Temporal's ports, by variable; the same after each restart. */
  inner: Readonly<Record<string, string>>;
}

/** @returns a new folder for one system */
export async function makeFolder(): Promise<string> {
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
export async function place(
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
  for (const each of [POSTGRES, TEMPORAL]) {
    addresses.set(each, `127.0.0.1:${await findLowPort()}`);
  }
  const places = { addresses, files };
  const bin = path.join(folder, 'bin');
  await symlink(await findTemporalCli(), path.join(bin, 'temporal'));
  await symlink(temporal.server, path.join(bin, 'temporal-server'));
  const tool = wrapSqlTool(temporal.sqlTool, POSTGRES, places);
  await writeFile(path.join(bin, 'temporal-sql-tool'), tool, { mode: 0o755 });
  const inner: Record<string, string> = {};
  for (const each of INNER_PORTS) inner[each] = String(await findLowPort());
  return { folder, places, services: [...file.services.keys()], inner };
}

/** What a container of a service would run, with nothing of this process's environment but the PATH. */
export function commandOf(
  name: string,
  service: ComposeService,
  setUp: SetUp,
  image: Image,
): Command {
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
    logFile: logOf(name),
  };
}

/** Where a part's words are appended. */
export function logOf(name: string): string {
  return path.join(LOGS, `${name}.log`);
}
