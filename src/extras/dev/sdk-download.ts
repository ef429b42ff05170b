import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';

/** Where the SDK downloads from. */
const DOWNLOAD_HOST = 'https://temporal.download/';
const PROBE_TIMEOUT_MS = 4_000;
const DOWNLOAD_TIMEOUT_MS = 180_000;

/**
 * Starts a server as the SDK's test environment does, which downloads it first, and stops it again.
 * In a process of its own, since a download in the SDK's native part cannot be given up.
 */
const SCRIPT = `
import { Runtime } from '@temporalio/worker';
const runtime = Runtime.instance();
const server = await runtime.createEphemeralServer({
  type: 'dev-server',
  exe: { type: 'cached-download', downloadDir: process.argv[1], version: 'default', ttl: 0,
         sdkName: 'sdk-typescript', sdkVersion: process.argv[2] },
  namespace: 'default', ip: '127.0.0.1', port: null, uiPort: null, dbFilename: null, ui: false,
  log: { format: 'pretty', level: 'error' }, extraArgs: [],
});
await runtime.shutdownEphemeralServer(server);
process.exit(0);
`;

/**
 * Downloads the Temporal CLI into a folder, as the Temporal SDK does for its tests.
 *
 * @returns `undefined`, or what went wrong: within seconds where the network is closed.
 */
export async function downloadWithSdk(folder: string): Promise<string | undefined> {
  try {
    await fetch(DOWNLOAD_HOST, { method: 'HEAD', signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
  } catch {
    return `${DOWNLOAD_HOST} cannot be reached`;
  }
  await mkdir(folder, { recursive: true });
  const { default: manifest } = await import('@temporalio/worker/package.json', {
    with: { type: 'json' },
  });
  return new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      ['--input-type=module', '-e', SCRIPT, folder, String(manifest.version)],
      {
        stdio: 'ignore',
        cwd: import.meta.dirname,
        timeout: DOWNLOAD_TIMEOUT_MS,
        killSignal: 'SIGKILL',
      },
    );
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => {
      if (code === 0) resolve(undefined);
      else resolve(signal === null ? 'it failed' : 'it took too long');
    });
  });
}
