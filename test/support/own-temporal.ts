import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { findFreePort } from '../../src/extras/dev/ports.ts';
import { startTemporalServer } from '../../src/extras/dev/temporal-server.ts';

/** A Temporal server of one suite, whose test systems are on it. */
export interface OwnTemporal {
  /** For the suite's files; removed at the end. */
  folder: string;
  stop(): Promise<void>;
}

/**
 * Starts a server with settings that the shared one does not have, or whose requests are counted: the
 * shared one's metrics of all suites are a hundred megabytes. Test systems that are started until it
 * stops are on it.
 */
export async function startOwnTemporal(
  dynamicConfig: Record<string, number | boolean> = {},
): Promise<OwnTemporal> {
  const { TEST_TEMPORAL_ADDRESS, TEST_TEMPORAL_METRICS_URL } = process.env;
  const folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-temporal-'));
  await chmod(folder, 0o755);
  const metricsPort = await findFreePort();
  const server = await startTemporalServer({
    logFile: path.join(folder, 'temporal.log'),
    dynamicConfig,
    metricsPort,
  });
  process.env['TEST_TEMPORAL_ADDRESS'] = server.address;
  process.env['TEST_TEMPORAL_METRICS_URL'] = `http://127.0.0.1:${metricsPort}/metrics`;
  return {
    folder,
    async stop() {
      Object.assign(process.env, { TEST_TEMPORAL_ADDRESS, TEST_TEMPORAL_METRICS_URL });
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
