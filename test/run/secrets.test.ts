import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runCommand } from '../support/cli.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
  type TestWorker,
} from '../support/system.ts';

const API_KEY = 'planted-api-key-4711';
const HEADER = 'planted-header-4712';
const THOUGHTS = 'planted-thoughts-4713';

let system: TestSystem;
let worker: TestWorker;

beforeAll(async () => {
  system = await startTestSystem();
  worker = await system.startWorker({
    OPENAI_BASE_URL: system.model.dialectUrl('deepseek'),
    OPENAI_DIALECT: 'deepseek',
    OPENAI_API_KEY: API_KEY,
    OPENAI_CUSTOM_HEADERS: `X-Team: ${HEADER}\nX-Other: 1`,
    AGENT_ONCE_LOG_LEVEL: 'debug',
  });
});
afterAll(async () => {
  await system.close();
});

test('key, header and what a model wants back reach the endpoint, and no history, log or explain', async () => {
  const echo = { error: { message: `wrong: ${API_KEY} ${HEADER}` } };
  const input = script(
    { ...(calls(['look', { label: 'planted' }]) as object), reasoning: THOUGHTS },
    { say: 'ok', fault: { kind: 'status', status: 503, body: echo } },
  );
  // The input names the thoughts, since it is the script: it is left out of what is searched.
  const run = await system.client.start({ agent: 'tester', input });
  const view = await system.client.result({ agent: 'tester', key: run.key });
  expect(view).toMatchObject({ status: 'completed', result: 'ok' });

  const scope = await system.scopeOf(run.workflowId);
  const sent = await system.receivedBy(`${scope}:t2.model`);
  expect(sent).toHaveLength(2);
  for (const { headers, body } of sent) {
    expect(headers).toMatchObject({ authorization: `Bearer ${API_KEY}`, 'x-team': HEADER });
    const { messages } = body as { messages: { reasoning_content?: string }[] };
    expect(messages.map((message) => message.reasoning_content)).toContain(THOUGHTS);
  }

  const shown = {
    history: await historyWithout(run.workflowId, JSON.stringify(input)),
    log: worker.output(),
    explain: await explain(run.key),
    'explain --json': await explain(run.key, '--json'),
    errors: JSON.stringify((await system.ledger.step(scope, 't2.model'))?.errors),
  };
  // The error was told, without what it echoed.
  expect(shown.errors).toContain('[redacted]');
  for (const [where, text] of Object.entries(shown)) {
    expect(text.length).toBeGreaterThan(0);
    for (const secret of [API_KEY, HEADER, THOUGHTS]) {
      if (text.includes(secret)) throw new Error(`${secret} is in the ${where}.`);
    }
  }
});

/** All payloads of a history as text, but for the run's input, which holds the script. */
async function historyWithout(workflowId: string, input: string): Promise<string> {
  const { events } = await system.temporal.workflow.getHandle(workflowId).fetchHistory();
  const texts: string[] = [];
  const collect = (value: unknown): void => {
    if (value instanceof Uint8Array) texts.push(Buffer.from(value).toString('utf8'));
    else if (typeof value === 'string') texts.push(value);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect);
  };
  collect(events);
  return texts.join('\n').replaceAll(input, '');
}

async function explain(key: string, ...flags: string[]): Promise<string> {
  const { stdout } = await runCommand(['explain', 'tester', key, ...flags], {
    ...system.env,
    TEST_AGENTS: 'of workers',
  });
  return stdout;
}
