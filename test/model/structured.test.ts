import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { DIALECT_NAMES, type DialectName } from '../../src/contract/dialects.ts';
import type { JsonObject } from '../../src/contract/json-value.ts';
import type { ModelEndpoint } from '../../src/contract/model-endpoint.ts';
import { shownSchema } from '../../src/define/shown-schema.ts';
import type { ModelRequest } from '../../src/model/port.ts';
import { startModel } from '../support/model/client.ts';
import type { TestModel } from '../support/model/test-model.ts';
import { ask } from './ask.ts';
import { completion } from './bodies.ts';
import { startEndpoint } from './http-endpoint.ts';

let endpoint: Awaited<ReturnType<typeof startEndpoint>>;
let model: TestModel;

beforeAll(async () => {
  [endpoint, model] = await Promise.all([startEndpoint(), startModel()]);
});
afterAll(() => Promise.all([endpoint.stop(), model.stop()]));
beforeEach(() => {
  endpoint.received.length = 0;
  endpoint.reply(200, completion({ content: '{}' }, 'stop'));
});

const SCHEMA = shownSchema('it', 'output', z.object({ ok: z.boolean() }));
const CLOSED = { ...SCHEMA, additionalProperties: false };
const OUTPUT = { output: { name: 'judge', schema: SCHEMA } };
const TOOL = { name: 'look', description: 'Looks.', parameters: { type: 'object' } };
const WORDS =
  /^Be fair\.\n\nThe final answer is one JSON object .* JSON Schema:\n\{"type":"object"/;

async function bodyOf(options: ModelEndpoint, request: Partial<ModelRequest> = {}) {
  const messages: ModelRequest['messages'] = [
    { role: 'system', content: 'Be fair.' },
    { role: 'user', content: 'hello' },
  ];
  await ask(endpoint.url, { ...OUTPUT, messages, ...request }, {}, { api: 'chat', ...options });
  return endpoint.received.at(-1)?.body as {
    response_format?: object;
    messages: { role: string; content: string }[];
  };
}

type How = 'schema' | 'object' | 'prompt';

async function howAsked(options: ModelEndpoint, tools: ModelRequest['tools'] = []): Promise<How> {
  const { response_format: format, messages } = await bodyOf(options, { tools });
  const [system] = messages;
  if (format && 'json_schema' in format) {
    expect(system?.content).toBe('Be fair.');
    return 'schema';
  }
  expect(system?.content).toMatch(WORDS);
  expect(messages.map(({ role }) => role)).toEqual(['system', 'user']);
  return format ? 'object' : 'prompt';
}

describe('an output is asked for as the dialect takes it', () => {
  const alone = Object.fromEntries(
    DIALECT_NAMES.map((name): [DialectName, How] => [
      name,
      ['deepseek', 'kimi'].includes(name) ? 'object' : 'schema',
    ]),
  );
  test.each(DIALECT_NAMES)('%s', async (dialect) => {
    expect(await howAsked({ dialect })).toBe(alone[dialect]);
    const together = ['openai', 'azure'].includes(dialect) ? 'schema' : 'prompt';
    expect(await howAsked({ dialect }, [TOOL])).toBe(together);
  });

  test.each(['schema', 'object', 'prompt'] as const)('or as its settings say: %s', async (how) => {
    expect(await howAsked({ structured: how })).toBe(how);
    const both = { structured: how, structuredWithTools: true };
    expect(await howAsked(both, [TOOL])).toBe(how);
  });

  test('and nothing is said without one', async () => {
    const { response_format: format, messages } = await bodyOf({}, { output: undefined } as never);
    expect(format).toBeUndefined();
    expect(messages[0]?.content).toBe('Be fair.');
  });

  test('beside what an endpoint has in the same member', async () => {
    endpoint.reply(200, { object: 'response', status: 'completed', output: [] });
    const asked = bodyOf({ api: 'responses' }, { extraBody: { text: { verbosity: 'low' } } });
    await asked.catch(() => {});
    expect(endpoint.received.at(-1)?.body).toMatchObject({
      text: {
        verbosity: 'low',
        format: { type: 'json_schema', name: 'judge', schema: CLOSED, strict: true },
      },
    });
  });

  test('and Groq, which holds few models to a schema, is not asked to', async () => {
    const { response_format: format } = await bodyOf({ dialect: 'groq' });
    expect(format).toMatchObject({ json_schema: { schema: SCHEMA, strict: false } });
  });
});

/** Each is sent to an endpoint that refuses what OpenAI refuses. */
describe('a schema is strict where strict mode takes it', () => {
  const node: z.ZodType = z.object({
    name: z.string(),
    get children() {
      return z.array(node);
    },
  });
  const point = z.object({ x: z.number() });
  const cases: [string, z.ZodType, boolean][] = [
    ['closed by us', z.object({ a: z.object({ b: z.array(z.object({ c: z.int() })) }) }), true],
    ['closed by itself', z.strictObject({ a: z.string() }), true],
    ['without members', z.object({}), true],
    ['enums, literals, nullable', z.object({ a: z.enum(['x']).nullable(), b: z.literal(1) }), true],
    ['formats', z.object({ a: z.iso.datetime(), b: z.email(), c: z.uuid() }), true],
    ['that contains itself', node, true],
    ['optional members', z.object({ a: z.string().optional() }), false],
    ['defaults', z.object({ a: z.string().default('x') }), false],
    ['open', z.looseObject({ a: z.string() }), false],
    ['records', z.object({ a: z.record(z.string(), z.number()) }), false],
    ['lengths of texts', z.object({ a: z.string().max(3) }), false],
    ['addresses', z.object({ a: z.url() }), false],
    ['patterns that look ahead', z.object({ a: z.string().regex(/^(?!x)/) }), false],
    ['tuples', z.object({ a: z.tuple([z.string()]) }), false],
    ['anything', z.object({ a: z.unknown() }), false],
    ['deep inside', z.object({ a: z.array(z.object({ b: z.number().optional() })) }), false],
    ['in a union', z.object({ a: z.union([z.string().min(1), z.null()]) }), false],
    [
      'told apart by a member',
      z.object({
        a: z.discriminatedUnion('k', [
          z.object({ k: z.literal('x') }),
          z.object({ k: z.literal('y') }),
        ]),
      }),
      false,
    ],
    [
      'intersections',
      z.object({ a: z.intersection(z.object({ b: z.string() }), z.union([point, z.null()])) }),
      false,
    ],
  ];
  test.each(cases)('%s', async (_name, schema, strict) => {
    const output = { name: 'judge', schema: shownSchema('it', 'output', schema) };
    endpoint.reply(200, completion({ content: '{}' }, 'stop'));
    await ask(endpoint.url, { output }, {}, { dialect: 'openai', api: 'chat' });
    const format = (endpoint.received.at(-1)?.body as JsonObject | undefined)?.['response_format'];
    expect(format).toMatchObject({ json_schema: { strict } });
    for (const api of ['chat', 'responses'] as const) {
      const options = { dialect: 'openai', api } as const;
      const asked = ask(model.dialectUrl('openai'), { output, model: 'gpt-6-luna' }, {}, options);
      await expect(asked).resolves.toMatchObject({ finish: 'stop' });
    }
  });

  test('and an endpoint like OpenAI refuses one that is not', async () => {
    const { output } = OUTPUT;
    const format = { type: 'json_schema', json_schema: { ...output, strict: true } };
    const asked = ask(
      model.dialectUrl('openai'),
      { model: 'gpt-6-luna', extraBody: { response_format: format } },
      {},
      { dialect: 'openai', api: 'chat' },
    );
    await expect(asked).rejects.toMatchObject({
      code: 'model.rejected',
      message: expect.stringContaining("'additionalProperties' is required"),
    });
  });
});
