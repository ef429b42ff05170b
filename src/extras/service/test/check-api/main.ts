/**
 * `npm run check:api`: schemathesis makes requests from the service's OpenAPI document, and checks
 * each answer of a real service, with Temporal, PostgreSQL and a worker behind it, against that
 * document. Ends with `N passed, N failed`. More arguments go to schemathesis:
 * `npm run check:api -- --include-operation-id startRun`.
 */
import globalSetup from '../../../../../test/support/global-setup.ts';
import globalTeardown from '../../../../../test/support/global-teardown.ts';
import { startHttpSuite } from '../support/http-suite.ts';
import { installSchemathesis, type Schemathesis } from './install-schemathesis.ts';
import { runSchemathesis, type Counts } from './run-schemathesis.ts';
import { seedRuns } from './seed-runs.ts';

const LIMIT_MS = 20 * 60_000;

const stopping = new AbortController();
const stop = (): void => stopping.abort(new Error('It was told to stop.'));
process.on('SIGINT', stop).on('SIGTERM', stop);
const timer = setTimeout(
  () => stopping.abort(new Error(`It did not end within ${LIMIT_MS / 60_000} minutes.`)),
  LIMIT_MS,
);

let counts: Counts = { passed: 0, failed: 1 };
try {
  const schemathesis = installSchemathesis(say);
  say('starting Temporal, PostgreSQL, a worker and the service');
  counts = await withServers(() => checkService(schemathesis));
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
} finally {
  clearTimeout(timer);
}
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
process.exitCode = counts.failed === 0 ? 0 : 1;

async function withServers<T>(use: () => Promise<T>): Promise<T> {
  await globalSetup();
  try {
    return await use();
  } finally {
    await globalTeardown();
  }
}

async function checkService(schemathesis: Schemathesis): Promise<Counts> {
  const suite = await startHttpSuite();
  try {
    await suite.system.startWorker();
    const worthwhile = await seedRuns(suite);
    stopping.signal.throwIfAborted();
    return await runSchemathesis(schemathesis, {
      document: `${suite.service.url}/openapi.json`,
      apiKey: suite.key,
      worthwhile,
      args: process.argv.slice(2),
      signal: stopping.signal,
    });
  } finally {
    await suite.close();
  }
}

function say(line: string): void {
  process.stderr.write(`check:api: ${line}\n`);
}
