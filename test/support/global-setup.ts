import { chmod, mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { startPostgres } from '../../src/extras/dev/postgres-server.ts';
import { findFreePort } from '../../src/extras/dev/ports.ts';
import { startTemporalServer } from '../../src/extras/dev/temporal-server.ts';
import { compileSources } from './compile-sources.ts';
import globalTeardown from './global-teardown.ts';
import { setRunningServers } from './running-servers.ts';

/** Starts one Temporal and one PostgreSQL for all suites, and compiles the programs that they start. */
export default async function globalSetup(): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-test-'));
  // PostgreSQL runs as another user when the tests run as root.
  await chmod(folder, 0o755);
  const metricsPort = await findFreePort();
  const [temporal, postgres, compiled] = await Promise.allSettled([
    startTemporalServer({ metricsPort, logFile: path.join(folder, 'temporal.log') }),
    startPostgres({
      dataDir: path.join(folder, 'postgres'),
      durable: false,
      logFile: path.join(folder, 'postgres.log'),
    }),
    compileSources(),
  ]);
  setRunningServers({
    folders: [
      folder,
      ...(compiled.status === 'fulfilled' && compiled.value ? [compiled.value] : []),
    ],
    stops: [temporal, postgres].flatMap((start) =>
      start.status === 'fulfilled' ? [start.value.stop] : [],
    ),
  });
  if (
    temporal.status === 'rejected' ||
    postgres.status === 'rejected' ||
    compiled.status === 'rejected'
  ) {
    // Jest runs no tear-down after a set-up that failed.
    await globalTeardown();
    throw [temporal, postgres, compiled].find((part) => part.status === 'rejected')?.reason;
  }
  if (compiled.value !== undefined) process.env['TEST_COMPILED'] = compiled.value;
  process.env['TEST_TEMPORAL_ADDRESS'] = temporal.value.address;
  process.env['TEST_TEMPORAL_METRICS_URL'] = `http://127.0.0.1:${metricsPort}/metrics`;
  process.env['TEST_POSTGRES_URL'] = postgres.value.url;
}
