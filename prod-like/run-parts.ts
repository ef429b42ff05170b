import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '../src/extras/dev/ports.ts';
import { startPostgres } from '../src/extras/dev/postgres-server.ts';
import { checkHealth, checkPort, runToHealth, type Command } from './containers.ts';
import type { Image } from './image.ts';
import type { ComposeService } from './read-compose.ts';
import { logOf, POSTGRES, TEMPORAL, type SetUp } from './set-up.ts';
import type { TemporalPrograms } from './temporal-programs.ts';

/** What `startPostgres` makes, and what the Compose file must ask for so. */
const MADE = { POSTGRES_PASSWORD: 'postgres', POSTGRES_DB: 'agent_once' };

/** @throws {Error} the file asks for what `startPostgres` does not make */
export function runPostgres(service: ComposeService, { folder, places }: SetUp) {
  const { command = [] } = service;
  checkPostgres(service);
  return startPostgres({
    dataDir: path.join(folder, 'postgres'),
    port: Number(places.addresses.get(POSTGRES)?.split(':')[1]),
    logFile: logOf('postgres'),
    // The image's own, where the command says nothing else; `startPostgres` has more.
    settings: { max_connections: '100', ...settingsOf(command) },
  });
}

function checkPostgres({ environment }: ComposeService): void {
  for (const [name, value] of Object.entries(MADE)) {
    if (environment[name] === value) continue;
    throw new Error(`${name} of the service postgres must be ${value} here.`);
  }
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

/** By the entry point of its image. */
export async function runTemporal(
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
export async function runOurs(command: Command, image: Image, port?: number) {
  const health = port ?? (await findFreePort());
  const [program = '', ...words] = image.healthCheck.map(image.place);
  const check = [program === 'node' ? process.execPath : program, ...words, String(health)];
  const env = {
    ...command.env,
    ...(port === undefined ? { AGENT_ONCE_HEALTH_PORT: String(health) } : {}),
    // Any free one: the processes share one machine.
    ...('AGENT_ONCE_METRICS_PORT' in command.env ? { AGENT_ONCE_METRICS_PORT: '0' } : {}),
  };
  return runToHealth({ ...command, env }, async () => {
    // A process each time, on a machine that is busy with the others' starts.
    await sleep(250);
    await checkHealth(check, env);
  });
}
