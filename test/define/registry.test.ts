import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { AgentDefinition } from '../../src/define/define-agent.ts';
import { createRegistry } from '../../src/define/registry.ts';
import {
  DEFAULT_MAX_TURNS,
  DEFAULT_MODEL_POLICY,
  DEFAULT_TOOL_POLICY,
} from '../../src/contract/settings.ts';
import { defineTool, type ToolDefinition } from '../../src/define/define-tool.ts';

const echo = defineTool({
  name: 'echo',
  description: 'Says it again.',
  effect: 'read',
  input: z.object({ text: z.string() }),
  run: async ({ text }) => text,
});

/** A definition as JavaScript could write it: anything may be wrong in it. */
const tool = (changes: object = {}) => ({ ...echo, ...changes }) as ToolDefinition;

const agent = (changes: object = {}) =>
  ({
    name: 'helper',
    description: 'Helps.',
    instructions: 'Help.',
    tools: [echo],
    ...changes,
  }) as AgentDefinition;

const register = (...agents: AgentDefinition[]) =>
  createRegistry(agents, { defaultModel: 'default-model' });

function parametersOf(input: z.ZodType) {
  return register(agent({ tools: [tool({ input })] })).tools()[0]?.parameters;
}

describe('a registry', () => {
  test('knows its agents and their tools', () => {
    const other = tool({ name: 'other', effect: 'transactional' });
    const registry = register(agent({ name: 'b', tools: [echo, other] }), agent({ name: 'a' }));
    expect(registry.names()).toEqual(['a', 'b']);
    expect(registry.agent('nobody')).toBeUndefined();
    expect(registry.agent('toString')).toBeUndefined();
    expect([...(registry.agent('b')?.tools.keys() ?? [])]).toEqual(['echo', 'other']);
    expect(registry.agent('a')?.tools.get('echo')).toBe(registry.agent('b')?.tools.get('echo'));
    expect(registry.tools().map(({ name, effect }) => [name, effect])).toEqual([
      ['echo', 'read'],
      ['other', 'transactional'],
    ]);
    expect(registry.tools()[0]).toMatchObject({ policy: DEFAULT_TOOL_POLICY, definition: echo });
  });

  test('fills in settings', () => {
    expect(register(agent()).settingsOf('helper')).toEqual({
      model: 'default-model',
      maxTurns: DEFAULT_MAX_TURNS,
      modelPolicy: DEFAULT_MODEL_POLICY,
      modelOptions: {},
      keyTtlMs: 24 * 60 * 60_000,
      historyResults: 'preview',
    });
    const own = agent({
      model: 'own',
      maxTurns: 3,
      keyTtlSeconds: 60,
      historyResults: 'none',
      modelPolicy: { retry: { maximumAttempts: 2 } },
      reasoningEffort: 'low',
      maxOutputTokens: 99,
    });
    expect(register(own).settingsOf('helper', { model: 'asked' })).toEqual({
      model: 'asked',
      maxTurns: 3,
      modelPolicy: {
        ...DEFAULT_MODEL_POLICY,
        retry: { ...DEFAULT_MODEL_POLICY.retry, maximumAttempts: 2 },
      },
      modelOptions: { reasoningEffort: 'low', maxOutputTokens: 99 },
      keyTtlMs: 60_000,
      historyResults: 'none',
    });
  });

  test("takes a tool's own times, and leaves the others", () => {
    const [own] = register(
      agent({
        tools: [tool({ startToCloseMs: 1000, leaseMs: undefined, retry: { maximumAttempts: 1 } })],
      }),
    ).tools();
    expect(own?.policy).toEqual({
      ...DEFAULT_TOOL_POLICY,
      startToCloseMs: 1000,
      retry: { ...DEFAULT_TOOL_POLICY.retry, maximumAttempts: 1 },
    });
  });

  test('names the agents it has when asked for another', () => {
    const registry = register(agent({ name: 'b' }), agent({ name: 'a' }));
    expect(() => registry.settingsOf('c')).toThrow(
      expect.objectContaining({
        code: 'agent.unknown',
        message: expect.stringContaining('Registered: a, b.'),
      }),
    );
  });

  test.each(['', ' ', 7])('refuses the model option %j', (model) => {
    expect(() => register(agent()).settingsOf('helper', { model } as { model: string })).toThrow(
      expect.objectContaining({ code: 'options.invalid' }),
    );
  });
});

describe('arguments', () => {
  test('are described as the model writes them, before defaults and transformations', () => {
    const input = z.object({
      order: z.number().int().describe('Its number.'),
      note: z.string().max(200).optional(),
      currency: z.enum(['EUR', 'USD']).default('EUR'),
      name: z.string().transform((text) => text.length),
    });
    expect(parametersOf(input)).toEqual({
      type: 'object',
      properties: {
        order: expect.objectContaining({ type: 'integer', description: 'Its number.' }),
        note: { type: 'string', maxLength: 200 },
        currency: { type: 'string', enum: ['EUR', 'USD'], default: 'EUR' },
        name: { type: 'string' },
      },
      required: ['order', 'name'],
    });
  });

  test.each([
    ['none', z.object({}), { type: 'object', properties: {} }],
    ['any', z.looseObject({}), { type: 'object', properties: {}, additionalProperties: {} }],
    ['a record', z.record(z.string(), z.number()), expect.objectContaining({ type: 'object' })],
  ])('may be %s', (_what, input, expected) => {
    expect(parametersOf(input)).toEqual(expected);
  });

  test.each([
    [
      'a date',
      z.object({ ok: z.string(), when: z.date() }),
      /tool 'echo': input\.when has a type.*z\.iso\.datetime/,
    ],
    ['a coerced date', z.object({ when: z.coerce.date() }), /input\.when/],
    [
      'two of them, deeper',
      z.object({ a: z.array(z.bigint()), b: z.object({ c: z.map(z.string(), z.string()) }) }),
      /input\.a, \.b/,
    ],
    ['a custom type', z.object({ f: z.custom<File>() }), /input\.f/],
    ['a date in a record', z.record(z.string(), z.date()), /input has a type/],
    ['a text', z.string(), /must be an object/],
    ['a list', z.array(z.string()), /must be an object/],
    [
      'a union',
      z.union([z.object({ a: z.string() }), z.object({ b: z.string() })]),
      /must be an object/,
    ],
    ['a JSON schema', { type: 'object' }, /no zod schema/],
    ['missing', undefined, /no zod schema/],
  ])('are refused: %s', (_what, input, message) => {
    expect(() => parametersOf(input as z.ZodType)).toThrow(
      expect.objectContaining({ code: 'agent.invalid', message: expect.stringMatching(message) }),
    );
  });
});

describe('refused, with a word on what to do', () => {
  const other = tool({ description: 'Another one.' });

  test.each<[string, AgentDefinition[], string, RegExp]>([
    ['a bad agent name', [agent({ name: 'My-Agent' })], 'name.invalid', /agent name must match/],
    ['a bad tool name', [agent({ tools: [tool({ name: 'a.b' })] })], 'name.invalid', /tool name/],
    ['two agents of a name', [agent(), agent()], 'agent.invalid', /Two agents.*'helper'.*Rename/],
    ['a tool twice', [agent({ tools: [echo, echo] })], 'agent.invalid', /two tools called 'echo'/],
    [
      'two tools of a name',
      [agent(), agent({ name: 'b', tools: [other] })],
      'agent.invalid',
      /Agent 'b', tool 'echo'.*'tool\.echo'.*rename/,
    ],
    ['no description', [agent({ description: ' ' })], 'agent.invalid', /description is empty/],
    ['no instructions', [agent({ instructions: undefined })], 'agent.invalid', /instructions/],
    ['no list of tools', [agent({ tools: undefined })], 'agent.invalid', /use \[\]/],
    ['an empty model', [agent({ model: '' })], 'agent.invalid', /model is empty/],
    ['no turn', [agent({ maxTurns: 0 })], 'agent.invalid', /maxTurns/],
    ['half a turn', [agent({ maxTurns: 1.5 })], 'agent.invalid', /maxTurns/],
    ['a sixth priority', [agent({ priority: 6 })], 'agent.invalid', /priority .* from 1 to 5/],
    ['no output', [agent({ maxOutputTokens: -1 })], 'agent.invalid', /maxOutputTokens/],
    ['a hot model', [agent({ temperature: 3 })], 'agent.invalid', /temperature/],
    ['NaN', [agent({ temperature: Number.NaN })], 'agent.invalid', /temperature/],
    ['a text as coalesce', [agent({ coalesce: 'yes' })], 'agent.invalid', /coalesce must be/],
    ['an endless cache', [agent({ cacheModelSeconds: 1e9 })], 'agent.invalid', /cacheModelSeconds/],
    [
      'a cache that is not shared',
      [agent({ coalesce: false, cacheModelSeconds: 5 })],
      'agent.invalid',
      /cacheModelSeconds needs coalesce/,
    ],
    ['other history', [agent({ historyResults: 'all' })], 'agent.invalid', /'preview'/],
    ['a text as prompt', [agent({ prompt: 'x' })], 'agent.invalid', /prompt must be a function/],
    [
      "the model's policy",
      [agent({ modelPolicy: { leaseMs: 90_000 } })],
      'agent.invalid',
      /Agent 'helper', modelPolicy: leaseMs \(90000\)/,
    ],
  ])('%s', (_what, agents, code, message) => {
    expect(() => register(...agents)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test.each<[string, object, RegExp]>([
    ['no effect', { effect: undefined }, /read, keyed, transactional, reconcile, at-most-once/],
    ['another effect', { effect: 'write' }, /effect must be one of/],
    ['reconcile and no find', { effect: 'reconcile' }, /find is no function/],
    ['an odd approval', { approval: 'sometimes' }, /approval must be 'always', a function/],
    ['no approval at all', { approval: null }, /approval must be 'always', a function/],
    ['an odd rule of approval', { approval: { when: 'never' } }, /approval must be 'always'/],
    ['an odd word about edits', { approval: { editable: 'yes' } }, /approval.editable must be/],
    [
      'a deadline of nothing',
      { effect: 'at-most-once', outcomeDeadline: { seconds: 0, otherwise: 'fail' } },
      /outcomeDeadline.seconds must be a number of seconds up to/,
    ],
    [
      'a deadline that approves',
      { approval: 'always', approvalDeadline: { seconds: 60, otherwise: 'approve' } },
      /approvalDeadline.otherwise must be one of fail, deny/,
    ],
    ['no description', { description: '' }, /description is empty/],
    ['no run', { run: undefined }, /run is no function/],
    ['a summary that is a text', { summary: 'x' }, /summary must be a function/],
    ['another dedup', { dedup: 'ever' }, /dedup must be 'turn', 'run', 'never' or/],
    ['a window without its length', { dedup: {} }, /dedup must be/],
    ['no window', { dedup: { windowSeconds: 0 } }, /dedup\.windowSeconds must be/],
    ['an endless window', { dedup: { windowSeconds: Infinity } }, /dedup\.windowSeconds must be/],
    ['a pretended result', { shadow: { ok: true } }, /shadow must be a function/],
    ['a lease over the heartbeat', { leaseMs: 60_001 }, /leaseMs \(60001\).*heartbeatMs \(60000\)/],
    [
      'a heartbeat over a third of all',
      { startToCloseMs: 9000, scheduleToCloseMs: 14_999, heartbeatMs: 5000 },
      /heartbeatMs \(5000\).*a third of scheduleToCloseMs \(14999\)/,
    ],
    ['one attempt longer than all', { startToCloseMs: 600_001 }, /startToCloseMs \(600001\)/],
    ['no time', { startToCloseMs: 0 }, /startToCloseMs must be a whole number/],
    ['negative time', { heartbeatMs: -1 }, /heartbeatMs must be/],
    ['half a millisecond', { leaseMs: 0.5 }, /leaseMs must be/],
    ['endless time', { scheduleToCloseMs: Infinity }, /scheduleToCloseMs must be/],
    ['time as text', { leaseMs: '5s' }, /leaseMs must be/],
    ['no attempt', { retry: { maximumAttempts: 0 } }, /retry\.maximumAttempts must be/],
    ['shrinking waits', { retry: { backoffCoefficient: 0.5 } }, /backoffCoefficient/],
    [
      'a first wait over the longest',
      { retry: { initialIntervalMs: 20_000 } },
      /initialIntervalMs \(20000\)/,
    ],
    ['a lane that is none', { lane: 'slow' }, /lane must be 'standard' or 'fast'/],
    [
      'a long time in the fast lane',
      { lane: 'fast', startToCloseMs: 10_001 },
      /in the fast lane startToCloseMs \(10001\) must be at most 10000/,
    ],
    [
      'no time left to take over in the fast lane',
      { lane: 'fast', startToCloseMs: 8_000, scheduleToCloseMs: 16_000 },
      /in the fast lane scheduleToCloseMs \(16000\) must be at least 17000/,
    ],
  ])('a tool with %s', (_what, changes, message) => {
    expect(() => register(agent({ tools: [tool(changes)] }))).toThrow(
      expect.objectContaining({
        code: 'agent.invalid',
        message: expect.stringMatching(
          new RegExp(`^Agent 'helper', tool 'echo': .*${message.source}`),
        ),
      }),
    );
  });

  test('times of heartbeat and lease that it does not set leave room to take over', () => {
    const short = { startToCloseMs: 6_000, scheduleToCloseMs: 9_000 };
    expect(register(agent({ tools: [tool(short)] })).tools()[0]?.policy).toMatchObject({
      heartbeatMs: 3_000,
      leaseMs: 3_000,
    });
  });

  test('but a policy at its limits is fine', () => {
    const limits = {
      leaseMs: 5000,
      heartbeatMs: 5000,
      startToCloseMs: 15_000,
      scheduleToCloseMs: 15_000,
    };
    expect(register(agent({ tools: [tool(limits)] })).tools()[0]?.policy).toMatchObject(limits);
  });

  test('a tool of the fast lane has less time, and its agent is known for it', () => {
    const registry = register(
      agent({ name: 'quick', tools: [{ ...tool(), name: 'quick', lane: 'fast' }] }),
      agent({ name: 'steady', tools: [tool()] }),
    );
    const [quick, steady] = registry.tools();
    expect(quick?.policy).toEqual({ ...DEFAULT_TOOL_POLICY, startToCloseMs: 5_000 });
    expect(steady?.policy).toEqual(DEFAULT_TOOL_POLICY);
    expect(registry.hasFastTools('quick')).toBe(true);
    expect(registry.hasFastTools('steady')).toBe(false);
  });

  test('a model of the fast lane has less time, and its agent is known for it', () => {
    const registry = register(agent({ name: 'quick', modelLane: 'fast' }), agent());
    expect(registry.settingsOf('quick')).toMatchObject({
      modelLane: 'fast',
      modelPolicy: { ...DEFAULT_MODEL_POLICY, startToCloseMs: 5_000 },
    });
    expect(registry.hasFastTools('quick')).toBe(true);
    expect(registry.settingsOf('helper')).not.toHaveProperty('modelLane');
  });

  test.each<[string, Partial<AgentDefinition>, RegExp]>([
    [
      'a lane that is none',
      { modelLane: 'slow' as never },
      /modelLane must be 'standard' or 'fast'/,
    ],
    [
      'a long time in the fast lane',
      { modelLane: 'fast', modelPolicy: { startToCloseMs: 10_001 } },
      /in the fast lane startToCloseMs \(10001\) must be at most 10000/,
    ],
    [
      'a model that answers in the background in the fast lane',
      { modelLane: 'fast', fallbacks: ['patient'] },
      /its model 'patient' answers in the background/,
    ],
  ])('%s is refused for models too', (_what, changes, message) => {
    const inBackground = (model: string) => model === 'patient';
    const wrong = () => createRegistry([agent(changes)], { defaultModel: 'm', inBackground });
    expect(wrong).toThrow(
      expect.objectContaining({
        code: 'agent.invalid',
        message: expect.stringMatching(message),
      }),
    );
  });
});

describe('an output', () => {
  const output = z.object({ ok: z.boolean(), note: z.string().default('') });
  const wrong = (changes: object) => () => register(agent(changes));

  test('is shown to the model as what its schema takes', () => {
    expect(register(agent({ output })).agent('helper')?.output).toEqual({
      type: 'object',
      properties: { ok: { type: 'boolean' }, note: { type: 'string', default: '' } },
      required: ['ok'],
    });
    expect(register(agent()).agent('helper')?.output).toBeUndefined();
  });

  test.each<[string, unknown, RegExp]>([
    ['no schema', { ok: true }, /^Agent 'helper': output is no zod schema/],
    ['a date in it', z.object({ at: z.date() }), /output\.at has a type that JSON does not have/],
    ['no object at its top', z.array(z.string()), /output must be an object at the top/],
  ])('with %s is refused', (_name, given, message) => {
    expect(wrong({ output: given })).toThrow(
      expect.objectContaining({
        code: 'agent.invalid',
        message: expect.stringMatching(message),
      }),
    );
  });

  test.each([
    ['response_format', { response_format: { type: 'json_object' } }],
    ['text.format', { text: { format: { type: 'json_object' } } }],
  ])('is not asked for by %s in extraBody too', (name, extraBody) => {
    expect(wrong({ output, extraBody })).toThrow(`extraBody cannot set ${name} beside an output`);
    expect(wrong({ extraBody })).not.toThrow();
    expect(wrong({ output, extraBody: { text: { verbosity: 'low' } } })).not.toThrow();
  });

  test('changes the hash of a definition only where it is set', () => {
    const hash = (changes: object) => register(agent(changes)).definitionOf('helper');
    expect(hash({ output })).not.toBe(hash({}));
    expect(hash({ output })).not.toBe(hash({ output: z.object({ ok: z.boolean() }) }));
    expect(hash({ output: undefined })).toBe(hash({}));
  });
});
