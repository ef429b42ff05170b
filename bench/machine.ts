import os from 'node:os';
import type { Client } from '@temporalio/client';
import pg from 'pg';
import { median } from './statistics.ts';

/** What figures depend on. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  platform: string;
  node: string;
  temporalServer: string;
  temporalSdk: string;
  postgres: string;
  /** Median time of a commit that waits for the disk. */
  commitMs: number;
  /** Processes that wanted a core in the last minute: others' work makes every figure worse. */
  loadBefore: number;
  loadAfter: number;
}

export async function describeMachine(
  temporal: Client,
  ledgerUrl: string,
): Promise<Omit<Machine, 'loadAfter'>> {
  const system = await temporal.workflowService.getSystemInfo({});
  const sdk = (await import('@temporalio/client/package.json', { with: { type: 'json' } })) as {
    default: { version: string };
  };
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.cpus().length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    platform: `${os.platform()} ${os.arch()}`,
    node: process.version,
    temporalServer: system.serverVersion ?? 'unknown',
    temporalSdk: sdk.default.version,
    ...(await describePostgres(ledgerUrl)),
    loadBefore: loadNow(),
  };
}

export function loadNow(): number {
  return Math.round((os.loadavg()[0] ?? 0) * 10) / 10;
}

async function describePostgres(url: string): Promise<{ postgres: string; commitMs: number }> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    await client.query('CREATE TABLE bench_commits (id bigint GENERATED ALWAYS AS IDENTITY)');
    const times: number[] = [];
    for (let commit = 0; commit < 100; commit += 1) {
      const begun = performance.now();
      await client.query('INSERT INTO bench_commits DEFAULT VALUES');
      times.push(performance.now() - begun);
    }
    await client.query('DROP TABLE bench_commits');
    return { postgres: rows[0]?.server_version ?? 'unknown', commitMs: median(times) };
  } finally {
    await client.end();
  }
}
