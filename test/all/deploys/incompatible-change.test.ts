import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { bundleWorkflows } from '../../../src/worker/workflow-code.ts';
import { kindsOf, readHistory, VERSIONS, type Kind } from '../../replay/recorded.ts';
import { installRuntime, REFUSED, replay } from '../../replay/replay.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
/** Beside `node_modules`, where the copies of the sources find what they import. */
const CACHE = path.join(ROOT, '.cache');
const changed: string[] = [];

beforeAll(() => installRuntime());
afterAll(async () => {
  for (const folder of changed) await rm(folder, { recursive: true, force: true });
});

/** The bundle of the workflow code with a change in one of its files. */
async function bundleWith(file: string, before: string, after: string) {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(path.join(CACHE, 'changed-'));
  changed.push(folder);
  for (const part of ['workflows', 'contract']) {
    await cp(path.join(ROOT, 'src', part), path.join(folder, part), { recursive: true });
  }
  const place = path.join(folder, 'workflows', file);
  const source = await readFile(place, 'utf8');
  expect(source.split(before)).toHaveLength(2);
  await writeFile(place, source.replace(before, after));
  return bundleWorkflows(folder);
}

/** The kinds of runs of which a recorded history is refused. */
async function refusedBy(bundle: WorkflowBundleOption): Promise<Set<Kind>> {
  const refused = new Set<Kind>();
  for (const version of VERSIONS) {
    for (const { kind } of kindsOf(version)) {
      // The bundle has the engine's workflows alone.
      if (kind === 'own-workflow') continue;
      const error = await replay(bundle, readHistory(version, kind)).catch((why: unknown) => why);
      if (error === undefined) continue;
      expect(error).toMatchObject({ ...REFUSED, message: expect.stringMatching(REFUSED.message) });
      refused.add(kind);
    }
  }
  return refused;
}

test('code that begins the calls of a turn in another order is refused by the runs that have several', async () => {
  const bundle = await bundleWith('run-calls.ts', 'calls.map((', 'calls.toReversed().map((');
  const refused = await refusedBy(bundle);
  expect(refused).toContain('completed');
  expect(refused).toContain('two-questions');
  // One call a turn: the change does not meet it.
  expect(refused).not.toContain('approved');
  expect(refused).not.toContain('ledger-cleanup');
});

test('code that has one command more is refused by every run', async () => {
  const bundle = await bundleWith(
    'agent-run.ts',
    '    const output = await takeTurns(',
    '    await condition(() => false, 1);\n    const output = await takeTurns(',
  );
  const refused = await refusedBy(bundle);
  const runs = kindsOf(VERSIONS[0] ?? '').filter(({ kind }) => !kind.includes('cleanup'));
  expect([...refused].sort()).toEqual(expect.arrayContaining(runs.map(({ kind }) => kind).sort()));
});
