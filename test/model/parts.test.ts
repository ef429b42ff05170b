import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ModelEndpoint } from '../../src/contract/model-endpoint.ts';
import type { ModelMessage, ModelReply, ModelRequest } from '../../src/model/port.ts';
import { ask } from './ask.ts';
import { completion, functionCall, response, said, thought, toolCall } from './bodies.ts';
import { startEndpoint, type Endpoint } from './http-endpoint.ts';

let endpoint: Endpoint;

beforeAll(async () => {
  endpoint = await startEndpoint();
});
afterAll(() => endpoint.stop());

const USER: ModelMessage = { role: 'user', content: 'go' };

/** The conversation after an answer, with its calls named as a run names them. */
function after(reply: ModelReply): ModelMessage[] {
  const calls = reply.calls.map((call, index) => ({ ...call, id: `call_1_${index}` }));
  const { content, opaque } = reply;
  return [
    USER,
    { role: 'assistant', content, calls, ...(opaque ? { opaque } : {}) },
    ...calls.map(({ id }) => ({ role: 'tool' as const, callId: id, content: 'done' })),
  ];
}

async function answered(body: object, options: ModelEndpoint = {}): Promise<ModelReply> {
  endpoint.reply(200, body);
  return ask(endpoint.url, { messages: [USER] }, {}, options);
}

/** What the endpoint is sent. */
async function sent(
  asked: Partial<ModelRequest>,
  options: ModelEndpoint = {},
): Promise<Record<string, unknown>> {
  const responses = options.api === 'responses';
  endpoint.reply(200, responses ? response([said('ok')]) : completion({ content: 'ok' }, 'stop'));
  await ask(endpoint.url, asked, {}, options);
  return endpoint.received.at(-1)?.body ?? {};
}

describe('what a chat endpoint wants back', () => {
  const parts = {
    reasoning_content: '',
    reasoning: 'hm',
    reasoning_details: [{ type: 'reasoning.encrypted', data: 'x' }],
  };
  const signed = (name: string, signature: string) => ({
    ...toolCall(name, '{}', `given_${name}`),
    extra_content: { google: { thought_signature: signature } },
  });

  test('goes back as it came, in its message and in its call', async () => {
    const reply = await answered(
      completion(
        { content: null, ...parts, tool_calls: [signed('a', 'sig'), toolCall('b', '{}')] },
        'tool_calls',
      ),
      { dialect: 'gemini' },
    );
    const { messages } = await sent({ messages: after(reply) }, { dialect: 'gemini' });
    expect(messages).toEqual([
      { role: 'user', content: 'go' },
      {
        role: 'assistant',
        content: null,
        ...parts,
        tool_calls: [
          { ...signed('a', 'sig'), id: 'call_1_0' },
          { ...toolCall('b', '{}'), id: 'call_1_1' },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1_0', content: 'done' },
      { role: 'tool', tool_call_id: 'call_1_1', content: 'done' },
    ]);
  });

  test('goes back as the list that it came in', async () => {
    const content = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }], closed: true },
      { type: 'text', text: 'Let me look.' },
    ];
    const reply = await answered(
      completion({ content, tool_calls: [toolCall('a', '{}')] }, 'tool_calls'),
      { dialect: 'mistral' },
    );
    expect(reply.content).toBe('Let me look.');
    const { messages } = await sent({ messages: after(reply) }, { dialect: 'mistral' });
    expect(messages).toMatchObject([{}, { role: 'assistant', content }, {}]);
  });

  test.each<[string, ModelEndpoint, Partial<ModelRequest>]>([
    ['another dialect', { dialect: 'mistral' }, {}],
    ['another model', { dialect: 'deepseek' }, { model: 'other' }],
    ['the other API', { dialect: 'deepseek', api: 'responses' }, {}],
  ])('does not go to %s', async (_name, options, asked) => {
    const reply = await answered(
      completion({ reasoning_content: 'hm', tool_calls: [toolCall('a', '{}')] }, 'tool_calls'),
      { dialect: 'deepseek' },
    );
    const body = await sent({ ...asked, messages: after(reply) }, options);
    expect(JSON.stringify(body)).not.toContain('hm');
  });

  test('does not go to another server', async () => {
    const reply = await answered(
      completion({ reasoning_content: 'hm', tool_calls: [toolCall('a', '{}')] }, 'tool_calls'),
    );
    const other = await startEndpoint();
    try {
      other.reply(200, completion({ content: 'ok' }, 'stop'));
      await ask(other.url, { messages: after(reply) });
      expect(JSON.stringify(other.received.at(-1)?.body)).not.toContain('hm');
    } finally {
      await other.stop();
    }
  });
});

describe('a turn without parts is told as the dialect wants it:', () => {
  const messages: ModelMessage[] = [
    USER,
    {
      role: 'assistant',
      content: null,
      calls: [
        { id: 'call_1_0', name: 'a', arguments: '{}' },
        { id: 'call_1_1', name: 'b', arguments: '{}' },
      ],
    },
    { role: 'tool', callId: 'call_1_0', content: 'x' },
    { role: 'tool', callId: 'call_1_1', content: 'y' },
  ];
  const turn = async (options: ModelEndpoint) => {
    const body = (await sent({ messages }, options)) as { messages: Record<string, unknown>[] };
    return body.messages;
  };
  const unsigned = { thought_signature: 'skip_thought_signature_validator' };

  test.each([
    ['gemini', { google: unsigned }],
    ['vertex', { vertex: unsigned }],
  ] as const)('%s', async (dialect, extra) => {
    const [, assistant] = await turn({ dialect });
    expect(assistant?.['tool_calls']).toEqual([
      expect.objectContaining({ extra_content: extra }),
      expect.not.objectContaining({ extra_content: expect.anything() }),
    ]);
  });

  test.each([
    ['deepseek', ''],
    ['kimi', ' '],
    ['openai', undefined],
    ['other', undefined],
  ] as const)('%s', async (dialect, thoughts) => {
    const [, assistant] = await turn({ dialect });
    expect(assistant?.['reasoning_content']).toBe(thoughts);
  });

  test('mistral, whose calls have names of nine letters or digits', async () => {
    const [, assistant, ...tools] = await turn({ dialect: 'mistral' });
    const ids = ((assistant?.['tool_calls'] ?? []) as { id: string }[]).map(({ id }) => id);
    for (const id of ids) expect(id).toMatch(/^[a-zA-Z0-9]{9}$/);
    expect(new Set(ids).size).toBe(2);
    expect(tools.map((message) => message['tool_call_id'])).toEqual(ids);
  });

  test('Responses, as items without IDs', async () => {
    const { input } = await sent({ messages }, { api: 'responses' });
    expect(input).toEqual([
      { role: 'user', content: 'go' },
      { type: 'function_call', call_id: 'call_1_0', name: 'a', arguments: '{}' },
      { type: 'function_call', call_id: 'call_1_1', name: 'b', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_1_0', output: 'x' },
      { type: 'function_call_output', call_id: 'call_1_1', output: 'y' },
    ]);
  });
});

test('Responses gets all its items back, in their order, and its calls by their own names', async () => {
  const items = [
    thought('encrypted'),
    said('Looking …', { phase: 'commentary' }),
    functionCall('a', '{}', 'call_theirs_a'),
    functionCall('b', '{}', 'call_theirs_b'),
  ];
  const reply = await answered(response(items), { api: 'responses' });
  const { input } = await sent({ messages: after(reply) }, { api: 'responses' });
  expect(input).toEqual([
    { role: 'user', content: 'go' },
    ...items,
    { type: 'function_call_output', call_id: 'call_theirs_a', output: 'done' },
    { type: 'function_call_output', call_id: 'call_theirs_b', output: 'done' },
  ]);
});

describe('options', () => {
  const tool = { name: 'echo', description: 'says it again', parameters: { type: 'object' } };
  const all: Partial<ModelRequest> = {
    messages: [{ role: 'system', content: 'be brief' }, USER],
    tools: [tool],
    reasoningEffort: 'low',
    toolChoice: { tool: 'echo' },
    parallelToolCalls: false,
    maxOutputTokens: 99,
    temperature: 0,
    extraBody: { service_tier: 'flex' },
  };

  test('are sent in the words of chat completions', async () => {
    expect(await sent(all, { dialect: 'mistral' })).toEqual({
      model: 'scripted',
      messages: [
        { role: 'system', content: 'be brief' },
        { role: 'user', content: 'go' },
      ],
      tools: [{ type: 'function', function: tool }],
      tool_choice: { type: 'function', function: { name: 'echo' } },
      parallel_tool_calls: false,
      reasoning_effort: 'low',
      max_tokens: 99,
      temperature: 0,
      service_tier: 'flex',
    });
  });

  test('are sent in the words of Responses, without any state there', async () => {
    expect(await sent(all, { api: 'responses' })).toEqual({
      model: 'scripted',
      instructions: 'be brief',
      input: [{ role: 'user', content: 'go' }],
      tools: [{ type: 'function', ...tool, strict: false }],
      tool_choice: { type: 'function', name: 'echo' },
      parallel_tool_calls: false,
      reasoning: { effort: 'low' },
      max_output_tokens: 99,
      temperature: 0,
      service_tier: 'flex',
      store: false,
      include: ['reasoning.encrypted_content'],
    });
  });

  test.each(['other', 'ollama'] as const)(
    'that name a tool leave it as the only one where a name may be ignored: %s',
    async (dialect) => {
      const tools = [{ ...tool, name: 'whisper' }, tool];
      const body = await sent({ ...all, tools }, { dialect });
      expect(body).toMatchObject({ tool_choice: 'required' });
      expect(body['tools']).toEqual([{ type: 'function', function: tool }]);
      const free = await sent({ tools, toolChoice: 'none' }, { dialect });
      expect(free).toMatchObject({ tool_choice: 'none', tools: { length: 2 } });
    },
  );

  test('of a body of one’s own stand beside the effort', async () => {
    const extraBody = { reasoning: { summary: 'auto' } };
    const body = await sent({ reasoningEffort: 'low', extraBody }, { api: 'responses' });
    expect(body['reasoning']).toEqual({ summary: 'auto', effort: 'low' });
  });

  test.each(['chat', 'responses'] as const)(
    'about tools are not sent without tools: %s',
    async (api) => {
      const body = await sent({ ...all, tools: [] }, { api });
      expect(Object.keys(body)).toEqual(
        expect.not.arrayContaining(['tools', 'tool_choice', 'parallel_tool_calls']),
      );
    },
  );
});
