import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startClientSuite, type ClientSuite } from '../support/client-suite.ts';
import { eventually } from '../support/eventually.ts';
import { temporalAddress } from '../support/servers.ts';
import type { StartOutcome } from '../support/starts-main.ts';

const STARTS = fileURLToPath(new URL('../support/starts-main.ts', import.meta.url));
const LOADER = new URL('../../bin/register-typescript.js', import.meta.url).href;

let suite: ClientSuite;

beforeAll(async () => {
  suite = await startClientSuite({ searchAttributes: false });
});
afterAll(() => suite.close());

/** Counted by the server, not by the clients. */
async function runsOf(workflowId: string): Promise<number> {
  return eventually(async () => {
    const { count } = await suite.temporal.workflow.count(`WorkflowId = '${workflowId}'`);
    if (count === 0) throw new Error('The index does not know the run yet');
    return count;
  });
}

test('50 starts with input A and 50 with input B at once make one run; the losers conflict', async () => {
  const key = `k-${randomUUID()}`;
  const starts = Array.from({ length: 100 }, (_, at) => {
    const input = at % 2 === 0 ? 'A' : 'B';
    return suite.client.start({ agent: 'support', key, input }).then(
      ({ runId, replayed }) => ({ input, runId, replayed }),
      (error: { code?: string }) => ({ input, code: error.code }),
    );
  });
  const outcomes = await Promise.all(starts);

  const started = outcomes.filter((outcome) => 'runId' in outcome);
  const refused = outcomes.filter((outcome) => 'code' in outcome);
  expect(started).toHaveLength(50);
  expect(new Set(started.map(({ input }) => input)).size).toBe(1);
  expect(new Set(started.map(({ runId }) => runId)).size).toBe(1);
  expect(started.filter(({ replayed }) => !replayed)).toHaveLength(1);
  expect(refused.map(({ code }) => code)).toEqual(Array(50).fill('key.conflict'));
  expect(refused[0]?.input).not.toBe(started[0]?.input);
  expect(await runsOf(`agent-support-${key}`)).toBe(1);
});

test('200 starts of one key from 4 processes make one run', async () => {
  const key = `k-${randomUUID()}`;
  const children = Array.from({ length: 4 }, () =>
    fork(STARTS, {
      execArgv: ['--import', LOADER],
      env: {
        PATH: process.env['PATH'],
        TEMPORAL_ADDRESS: temporalAddress(),
        TEMPORAL_NAMESPACE: suite.namespace,
      },
    }),
  );
  try {
    await Promise.all(children.map((child) => once(child, 'message')));
    const answers = children.map((child) => once(child, 'message'));
    const request = { agent: 'support', key, input: { order: 1042 } };
    for (const child of children) child.send({ request, times: 50 });
    const outcomes = (await Promise.all(answers)).flatMap(([all]) => all as StartOutcome[]);

    expect(outcomes).toHaveLength(200);
    expect(outcomes.filter((outcome) => 'code' in outcome)).toEqual([]);
    const started = outcomes.filter((outcome) => 'runId' in outcome);
    expect(new Set(started.map(({ runId }) => runId)).size).toBe(1);
    expect(started.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await runsOf(`agent-support-${key}`)).toBe(1);
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
});
