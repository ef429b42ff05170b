import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';

const page = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
const [, table = ''] = /\*\*Saved views\.\*\*([^]*?)\n## /.exec(page) ?? [];
const views = [...table.matchAll(/^\| (.+?) +\| `(.+)` +\|$/gm)].map(
  ([, name = '', query = '']) => ({
    name,
    query,
  }),
);

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
  await system.startWorker();
});
afterAll(() => system.close());

test('each saved view of docs/operations.md is a query that Temporal answers, with the right runs', async () => {
  const start = async (key: string, tenant: string, ...answers: Parameters<typeof script>) => {
    const ref = { agent: 'tester', key, tenant };
    const { workflowId } = await system.client.start({ ...ref, input: script(...answers) });
    return { ref, workflowId };
  };
  const waiting = await start('waits', 'default', calls(['spend', { label: 'v', amount: 300 }]));
  const failed = await start('fails', 'acme', calls(['flaky', { failures: 99 }]));
  const forgotten = await start('goes', 'acme', calls(['flaky', { failures: 99 }]));
  await Promise.all([untilEnd(system.client, failed.ref), untilEnd(system.client, forgotten.ref)]);
  await system.client.forget(forgotten.ref);
  // A forgotten run is an execution on top of the one that failed.
  const [all, ids] = [
    [waiting, failed, forgotten],
    (runs: { workflowId: string }[]) => runs.map(({ workflowId }) => workflowId).sort(),
  ];
  const expected: Record<string, string[]> = {
    'Waits for a person': ids([waiting]),
    Failed: ids([failed, forgotten]),
    'Runs of one agent': ids(all),
    'Runs of one tenant': ids([failed, forgotten]),
    'Dear runs': [],
    Forgotten: ids([forgotten]),
  };
  expect(views.map(({ name }) => name)).toEqual(Object.keys(expected));
  for (const { name, query } of views) {
    // Of this suite's runs.
    const own = query.replace("'support'", "'tester'");
    await eventually(async () => {
      const found: { workflowId: string }[] = [];
      for await (const run of system.temporal.workflow.list({ query: own })) found.push(run);
      expect([name, ids(found)]).toEqual([name, expected[name]]);
    });
  }
  await system.client.cancel(waiting.ref);
});
