import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runCommand } from '../support/cli.ts';
import { hasExtra } from '../support/extras.ts';
import { STRICT_ENDPOINTS, workerEnv } from '../support/dialects.ts';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';
import { untilEnd } from '../support/until-end.ts';

const API_KEY = 'planted-api-key-4711';
const HEADER = 'planted-header-4712';
/** What an endpoint made of its thoughts, in the request that brings it back. */
const PARTS =
  /"(?:reasoning_content|encrypted_content|thought_signature|data)":"((?!skip_)[^"]{8,})"/g;

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(async () => {
  await system.close();
});

const endpoints = STRICT_ENDPOINTS.filter(({ name }) =>
  ['OpenAI, Responses', 'Gemini 3', 'DeepSeek', 'OpenRouter'].includes(name),
);

test.each(endpoints)(
  'key, header and what a model wants back reach $name, and no history, log or explain',
  async (endpoint) => {
    const worker = await system.startWorker({
      ...workerEnv(endpoint, system.model),
      OPENAI_API_KEY: API_KEY,
      OPENAI_CUSTOM_HEADERS: `X-Team: ${HEADER}\nX-Other: 1`,
      AGENT_ONCE_LOG_LEVEL: 'debug',
    });
    try {
      const label = `planted-${endpoint.dialect}`;
      const input = script(calls(['look', { label }]), { say: 'ok' });
      // Turn 2 alone has the tool's answer, which names the call so.
      await echoSecrets(`look:${label}`);
      const run = await system.client.start({
        agent: 'tester',
        input,
        options: { model: endpoint.model },
      });
      expect(await untilEnd(system.client, run)).toMatchObject({
        status: 'completed',
        result: 'ok',
      });

      const scope = await system.scopeOf(run.workflowId);
      const sent = await system.receivedBy(`${scope}:t2.model`);
      expect(sent).toHaveLength(2);
      for (const { headers } of sent) {
        expect(headers).toMatchObject({ authorization: `Bearer ${API_KEY}`, 'x-team': HEADER });
      }
      const [{ body } = { body: {} }] = sent;
      const parts = [...JSON.stringify(body).matchAll(PARTS)].flatMap(([, part]) => part ?? []);
      expect(parts.length).toBeGreaterThan(0);

      const shown = {
        history: await historyOf(run.workflowId),
        log: worker.output(),
        ...(hasExtra('explain') && {
          explain: await show('explain', run.key),
          'explain --json': await show('explain', run.key, '--json'),
        }),
        'status --json': await show('status', run.key, '--json'),
        errors: JSON.stringify((await system.ledger.step(scope, 't2.model'))?.errors),
      };
      // The error was told, without what it echoed.
      expect(shown.errors).toContain('[redacted]');
      for (const [where, text] of Object.entries(shown)) {
        expect(text.length).toBeGreaterThan(0);
        for (const secret of [API_KEY, HEADER, ...parts]) {
          if (text.includes(secret)) throw new Error(`${secret} is in the ${where}.`);
        }
      }
    } finally {
      await worker.stop();
    }
  },
);

/** The next request with this text in it is answered with an error that echoes what came with it. */
async function echoSecrets(match: string): Promise<void> {
  const body = { error: { message: `wrong: ${API_KEY} ${HEADER}` } };
  const response = await fetch(new URL('/faults', system.model.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ faults: [{ kind: 'status', status: 503, body }], match }),
  });
  expect(response.ok).toBe(true);
}

/** Every text and every payload of a history. */
async function historyOf(workflowId: string): Promise<string> {
  const { events } = await system.temporal.workflow.getHandle(workflowId).fetchHistory();
  const texts: string[] = [];
  const collect = (value: unknown): void => {
    if (value instanceof Uint8Array) texts.push(Buffer.from(value).toString('utf8'));
    else if (typeof value === 'string') texts.push(value);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect);
  };
  collect(events);
  return texts.join('\n');
}

async function show(command: string, key: string, ...flags: string[]): Promise<string> {
  const { stdout } = await runCommand([command, 'tester', key, ...flags], {
    ...system.env,
    TEST_AGENTS: 'of workers',
  });
  return stdout;
}
