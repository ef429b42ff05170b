import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { PROJECT_ROOT } from '../../dev/paths.ts';

/** Runs a command with traces on or off; returns which of OpenTelemetry's packages were loaded. */
async function loadedBy(env: Record<string, string>): Promise<string[]> {
  const program = `
    const { app } = await import('./src/app/compose.ts');
    const { runCli } = await import('./src/cli/run-cli.ts');
    await runCli(['list'], app);
    const { createRequire } = await import('node:module');
    const files = Object.keys(createRequire(import.meta.url).cache);
    const names = files.map((file) => /@opentelemetry\\/[^/]+/.exec(file)?.[0]);
    console.log(JSON.stringify([...new Set(names.filter(Boolean))]));
    process.exit(0);`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', './bin/register-typescript.js', '--input-type=module', '-e', program],
    {
      cwd: PROJECT_ROOT,
      // Nobody listens there: the command has connected by then, or tried to.
      env: { PATH: process.env['PATH'], TEMPORAL_ADDRESS: '127.0.0.1:1', ...env },
    },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as string[];
}

test('nothing of OpenTelemetry is loaded by a command unless its variables ask for traces', async () => {
  expect(await loadedBy({})).toEqual([]);
  expect(await loadedBy({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' })).toContain(
    '@opentelemetry/sdk-trace-node',
  );
});
