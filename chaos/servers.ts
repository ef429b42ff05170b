import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { signalProcess } from '../src/extras/dev/child-process.ts';
import { startPostgres, type PostgresServer } from '../src/extras/dev/postgres-server.ts';
import { startScriptedModel } from '../src/extras/dev/scripted-model/server.ts';
import { startTemporalServer, type TemporalServer } from '../src/extras/dev/temporal-server.ts';
import type { Server } from './faults.ts';

/** The servers that the workers need; both keep their data on disk, and can be killed. */
export interface ChaosServers {
  folder: string;
  /** `127.0.0.1:7233` */
  temporalAddress: string;
  ledgerUrl: string;
  modelUrl: string;
  /** SIGKILL; starts it again after `downMs`, on the same port. */
  restart(server: Server, downMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** So that a process can be killed while it waits for the model. */
const MODEL_MS = 25;

/** @param keep a folder that stays; absent: a temporary one */
export async function startChaosServers(keep: string | undefined): Promise<ChaosServers> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (let next = stops.pop(); next !== undefined; next = stops.pop()) await next();
  };
  try {
    let folder: string;
    if (keep === undefined) {
      folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-chaos-'));
      stops.push(() => rm(folder, { recursive: true, force: true }));
      // PostgreSQL runs as another user where this runs as root.
      await chmod(folder, 0o755);
    } else {
      folder = path.resolve(keep);
      await mkdir(folder, { recursive: true });
    }
    const model = await startScriptedModel({ delayMs: MODEL_MS });
    stops.push(() => model.stop());
    const temporalOptions = {
      dbFile: path.join(folder, 'temporal.db'),
      logFile: path.join(folder, 'temporal.log'),
    };
    const postgresOptions = {
      dataDir: path.join(folder, 'postgres'),
      logFile: path.join(folder, 'postgres.log'),
      durable: true,
    };
    let temporal: TemporalServer = await startTemporalServer(temporalOptions);
    stops.push(() => temporal.stop());
    let postgres: PostgresServer = await startPostgres(postgresOptions);
    stops.push(() => postgres.stop());

    const temporalPort = Number(temporal.address.split(':')[1]);
    const postgresPort = Number(new URL(postgres.url).port);
    return {
      folder,
      temporalAddress: temporal.address,
      ledgerUrl: postgres.url,
      modelUrl: model.url,
      async restart(server, downMs) {
        const victim = server === 'temporal' ? temporal : postgres;
        signalProcess(victim.pid, 'SIGKILL');
        await victim.exited;
        await sleep(downMs);
        if (server === 'temporal') {
          temporal = await startTemporalServer({ ...temporalOptions, port: temporalPort });
        } else {
          postgres = await startPostgres({ ...postgresOptions, port: postgresPort });
        }
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
