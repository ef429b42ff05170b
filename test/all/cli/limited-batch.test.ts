import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTemporalServer } from '../../../src/dev/temporal-server.ts';
import { runCommand } from '../../support/cli.ts';
import { script, startTestSystem, type TestSystem } from '../../support/system.ts';

/** Requests a second of a namespace: a fraction of what the batch would send. */
const REQUESTS_PER_SECOND = 8;
const LINES = 60;

let folder: string;
let temporal: Awaited<ReturnType<typeof startTemporalServer>>;
let system: TestSystem;
const shared = process.env['TEST_TEMPORAL_ADDRESS'];

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-limited-'));
  await chmod(folder, 0o755);
  temporal = await startTemporalServer({
    logFile: path.join(folder, 'temporal.log'),
    dynamicConfig: {
      'frontend.namespaceRPS': REQUESTS_PER_SECOND,
      'frontend.namespaceBurstRatio': 1,
    },
  });
  process.env['TEST_TEMPORAL_ADDRESS'] = temporal.address;
  system = await startTestSystem();
  await system.startWorker();
});
afterAll(async () => {
  process.env['TEST_TEMPORAL_ADDRESS'] = shared;
  await system.close();
  await temporal.stop();
  await rm(folder, { recursive: true, force: true });
});

test('a batch under a limit of its namespace slows down, says why, and finishes', async () => {
  const lines = Array.from({ length: LINES }, (_, i) => JSON.stringify(script({ say: `${i}` })));
  const file = path.join(folder, 'lines.jsonl');
  await writeFile(file, lines.join('\n'));
  const args = ['start', 'tester', '--batch', file, '--key', 'b', '--concurrency', '40', '--json'];
  const { code, stdout, stderr } = await runCommand(args, {
    ...system.env,
    TEST_AGENTS: 'of workers',
  });
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringMatching(
      /Temporal at \S+ limits the requests of namespace "\S+" \(.*rate limit.*\).*slowed down to \d+ at once/,
    ),
  });
  const { counts, runs } = JSON.parse(stdout) as {
    counts: Record<string, number>;
    runs: { status: string }[];
  };
  expect(counts).toMatchObject({ lines: LINES, completed: LINES, failed: 0, notStarted: 0 });
  expect(new Set(runs.map(({ status }) => status))).toEqual(new Set(['completed']));
});
