import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { LIMITS } from '../../../../contract/limits.ts';
import { runCommand } from '../../../../../test/support/cli.ts';
import { startHttpSuite, type HttpSuite } from '../support/http-suite.ts';
import { askMany, MANY, STEPS, untilAllAsked } from '../../../../../test/support/many-questions.ts';
import type { TestSystem, TestWorker } from '../../../../../test/support/system.ts';
import { untilEnd } from '../../../../../test/support/until-end.ts';

let suite: HttpSuite;
let system: TestSystem;
let worker: TestWorker;

beforeAll(async () => {
  suite = await startHttpSuite();
  ({ system } = suite);
  worker = await system.startWorker();
  await untilAllAsked(system, NAME);
});
afterAll(async () => {
  await suite.close();
});

const NAME = 'many';
const run = askMany(NAME);
const PATH = `/v1/runs/agent-tester-${NAME}`;
const FEW = { waitingMore: MANY - LIMITS.memoQuestions };
const BY_COMMAND = STEPS.filter((_step, index) => index % 4 === 3);

const cli = (...args: string[]) => runCommand(args, { ...system.env, TEST_AGENTS: 'of workers' });
const json = async (...args: string[]) =>
  JSON.parse((await cli(...args, '--json')).stdout) as Record<string, unknown>;
const get = async (path: string) =>
  (await (await suite.send('GET', path)).json()) as Record<string, unknown>;
const stepsOf = ({ waiting }: Record<string, unknown>) =>
  (waiting as { step: string }[]).map(({ step }) => step);

test('all of forty questions are shown by status, explain and over HTTP; a list shows the first of them', async () => {
  const { stderr, stdout } = await cli('status', run.agent, NAME);
  for (const step of STEPS) {
    expect(stdout).toContain(`outcome of ${step} `);
    expect(stderr).toContain(`agent-once resolve tester many ${step} --happened`);
  }
  // Whatever each attempt threw: on a terminal a question is a few lines.
  const lines = `${stdout}\n${stderr}`.split('\n');
  expect(lines.filter((line) => line.includes('the attempt threw: '))).toHaveLength(MANY);
  expect(lines.filter((line) => line.includes('threw') && line.length > 800)).toEqual([]);
  expect(stepsOf(await json('status', run.agent, NAME))).toEqual(STEPS);
  expect(stepsOf(await json('explain', run.agent, NAME))).toEqual(STEPS);
  expect(stepsOf(await get(PATH))).toEqual(STEPS);
  expect(stepsOf(await get(`${PATH}/steps`))).toEqual(STEPS);
  const { runs } = await json('list', '--status', 'waiting');
  expect(runs).toMatchObject([{ key: NAME, ...FEW }]);
  expect((await cli('list')).stdout).toContain(`answers to ${FEW.waitingMore} more questions`);
  const unnamed = await cli('resolve', run.agent, NAME, '--happened', '--yes');
  expect(unnamed).toMatchObject({ code: 2, stderr: expect.stringContaining('40 steps wait') });
});

test('events have all of them, too', async () => {
  const answer = await suite.send('GET', `${PATH}/events`, { signal: AbortSignal.timeout(60_000) });
  let text = '';
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk as Uint8Array).toString();
    const found = /^event: run\n(?:.*\n)*?data: (.*)\n\n/m.exec(text);
    if (!found) continue;
    expect(stepsOf(JSON.parse(found[1] ?? '') as Record<string, unknown>)).toEqual(STEPS);
    return;
  }
  throw new Error(`No event of the run came:\n${text}`);
});

test('without a worker the first are shown, with how many more there are, and none is answered for another', async () => {
  await worker.stop();
  expect(await get(PATH)).toMatchObject({ status: 'waiting', ...FEW });
  const status = await cli('status', run.agent, NAME);
  expect(status.stdout).toContain(`answers to ${FEW.waitingMore} more questions`);
  expect(status.stderr).toContain(`${FEW.waitingMore} more: the run alone knows them`);
  // The ledger knows which questions nobody has answered.
  const { questions } = (await get(`${PATH}/steps`)) as { questions: { waits: boolean }[] };
  expect(questions.map(({ waits }) => waits)).toEqual(STEPS.map(() => true));
  const resolved = await cli('resolve', run.agent, NAME, 't1.c39', '--happened', '--yes');
  expect(resolved).toMatchObject({ code: 7, stderr: expect.stringContaining('Start one') });
  const decided = await suite.send('POST', `${PATH}/steps/t1.c39/decision`, {
    body: { decision: 'happened', by: 'ann' },
  });
  expect(decided.status).toBe(409);
  expect(await decided.json()).toMatchObject({ code: 'run.still_running' });
});

test('each is answered, by command and over HTTP, when a worker is there again', async () => {
  await system.startWorker();
  for (const step of BY_COMMAND) {
    const args = ['resolve', run.agent, NAME, step, '--happened', '--by', 'ann', '--yes'];
    expect(await json(...args)).toMatchObject({ step, outcome: 'recorded' });
  }
  const rest = STEPS.filter((step) => !BY_COMMAND.includes(step));
  for (const step of rest) {
    const answer = await suite.send('POST', `${PATH}/steps/${step}/decision`, {
      body: { decision: 'happened', by: 'ann' },
    });
    expect({ step, status: answer.status, body: await answer.json() }).toMatchObject({
      step,
      status: 200,
      body: { outcome: 'recorded' },
    });
  }
  expect(await untilEnd(system.client, run)).toMatchObject({ status: 'completed', waiting: [] });
  const { memo } = await system.temporal.workflow.getHandle(`agent-tester-${NAME}`).describe();
  expect(memo).not.toHaveProperty('waiting');
  expect(memo).not.toHaveProperty('waitingMore');
  const requests = STEPS.map((step) => system.counter.requests(`send:loud-${NAME}-${step}`));
  expect(requests).toEqual(STEPS.map(() => 1));
});
