import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { startTemporalServer } from '../../src/extras/dev/temporal-server.ts';

/** A Temporal server of one suite, whose test systems are on it. */
export interface OwnTemporal {
  /** For the suite's files; removed at the end. */
  folder: string;
  stop(): Promise<void>;
}

/**
 * Starts a server with settings that the shared one does not have. Test systems that are started
 * until it stops are on it.
 */
export async function startOwnTemporal(
  dynamicConfig: Record<string, number | boolean>,
): Promise<OwnTemporal> {
  const shared = process.env['TEST_TEMPORAL_ADDRESS'];
  const folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-temporal-'));
  await chmod(folder, 0o755);
  const server = await startTemporalServer({
    logFile: path.join(folder, 'temporal.log'),
    dynamicConfig,
  });
  process.env['TEST_TEMPORAL_ADDRESS'] = server.address;
  return {
    folder,
    async stop() {
      process.env['TEST_TEMPORAL_ADDRESS'] = shared;
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
