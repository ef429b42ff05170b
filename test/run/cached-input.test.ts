import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runCommand } from '../support/cli.ts';
import { testWith } from '../support/extras.ts';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';

let system: TestSystem;

/** What each of two turns uses, and what both do. */
const usage = {
  inputTokens: 10_000,
  outputTokens: 100,
  cachedInputTokens: 9_000,
  reasoningTokens: 60,
};
const used = {
  inputTokens: 20_000,
  outputTokens: 200,
  cachedInputTokens: 18_000,
  reasoningTokens: 120,
  costUsd: 0.00945,
};
const TEXT = '20,000 in (18,000 cached) + 200 out (120 thinking) tokens';

beforeAll(async () => {
  system = await startTestSystem();
  await system.startWorker();
});
afterAll(() => system.close());

function start(key: string, model: string) {
  const asks = { ...(calls(['look', { label: key }]) as object), usage };
  const input = script(asks, { say: 'ok', usage });
  return system.client.start({ agent: 'tester', key, input, options: { model } });
}

test('a run costs what cached input costs, to the cent, and tells what was cached and thought', async () => {
  const { workflowId } = await start('cached', 'gpt-5.2');
  const view = await system.client.result({ agent: 'tester', key: 'cached' });
  expect(view.usage).toEqual({ turns: 2, modelCalls: 2, toolCalls: 1, ...used });
  const step = await system.ledger.step(await system.scopeOf(workflowId), 't1.model');
  expect(step).toMatchObject({ inputTokens: 10_000, outputTokens: 100, costUsd: 0.004725 });

  const { stdout } = await runCommand(['status', 'tester', 'cached'], system.env);
  expect(stdout).toContain(`${TEXT} · $0.00945`);
});

testWith('explain')(
  'explain tells them of the run and of each step, as text and JSON',
  async () => {
    await start('explained', 'gpt-5.2');
    await system.client.result({ agent: 'tester', key: 'explained' });
    const explain = ['explain', 'tester', 'explained'];
    const text = (await runCommand(explain, system.env)).stdout;
    expect(text).toContain(`$0.00945 · ${TEXT}`);
    expect(text).toContain('10,000 in (9,000 cached) + 100 out (60 thinking) tokens · $0.004725');

    const json = JSON.parse((await runCommand([...explain, '--json'], system.env)).stdout) as {
      steps: { kind: string; usage: object | null }[];
    };
    expect(json).toMatchObject({ usage: used, reportedUsage: used });
    const ofModel = json.steps.filter(({ kind }) => kind === 'model');
    const each = { ...usage, costUsd: 0.004725 };
    expect(ofModel.map((step) => step.usage)).toEqual([each, each]);
  },
);

test('a resumed run tells the parts of what the ledger had', async () => {
  system.counter.fail('look:resumed');
  await start('resumed', 'gpt-5.2');
  const failed = await system.client.result({ agent: 'tester', key: 'resumed' });
  expect(failed).toMatchObject({ status: 'failed', usage: { cachedInputTokens: 9_000 } });
  system.counter.heal('look:resumed');
  const asks = { ...(calls(['look', { label: 'resumed' }]) as object), usage };
  await system.client.start({
    agent: 'tester',
    key: 'resumed',
    input: script(asks, { say: 'ok', usage }),
    options: { model: 'gpt-5.2' },
    retryFailed: true,
  });
  const view = await system.client.result({ agent: 'tester', key: 'resumed' });
  expect(view).toMatchObject({ status: 'completed', usage: used });
});
