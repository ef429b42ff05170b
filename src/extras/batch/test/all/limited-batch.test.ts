import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runCommand } from '../../../../../test/support/cli.ts';
import { startOwnTemporal, type OwnTemporal } from '../../../../../test/support/own-temporal.ts';
import { script, startTestSystem, type TestSystem } from '../../../../../test/support/system.ts';

/** Requests a second of a namespace: a fraction of what the batch would send. */
const REQUESTS_PER_SECOND = 8;
const LINES = 60;

let temporal: OwnTemporal;
let system: TestSystem;

beforeAll(async () => {
  temporal = await startOwnTemporal({
    'frontend.namespaceRPS': REQUESTS_PER_SECOND,
    'frontend.namespaceBurstRatio': 1,
  });
  system = await startTestSystem();
  await system.startWorker();
});
afterAll(async () => {
  await system.close();
  await temporal.stop();
});

test('a batch under a limit of its namespace slows down, says why, and finishes', async () => {
  const lines = Array.from({ length: LINES }, (_, i) => JSON.stringify(script({ say: `${i}` })));
  const file = path.join(temporal.folder, 'lines.jsonl');
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
