import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { defineAgent, type AgentDefinition } from '../../src/define/define-agent.ts';
import { registryDefaults } from '../../src/define/registry-defaults.ts';
import { createRegistry } from '../../src/define/registry.ts';
import { readConfig } from '../../src/config.ts';
import { defineTool } from '../../src/define/define-tool.ts';

const toolNamed = (name: string) =>
  defineTool({
    name,
    description: 'Does nothing.',
    effect: 'read',
    input: z.object({}),
    run: () => Promise.resolve(null),
  });

const agent = (changes: object = {}): AgentDefinition =>
  defineAgent({
    name: 'helper',
    description: 'Helps.',
    instructions: 'Help.',
    tools: [toolNamed('echo')],
    ...changes,
  });

const register = (changes: object = {}, defaults: object = {}) =>
  createRegistry([agent(changes)], { defaultModel: 'm', ...defaults });

describe('options of the model', () => {
  test('are pinned as they are set, and no others', () => {
    const options = {
      reasoningEffort: 'high',
      toolChoice: { tool: 'echo' },
      parallelToolCalls: false,
      maxOutputTokens: 4_096,
      temperature: 1,
      extraBody: { service_tier: 'flex' },
    };
    expect(register(options).settingsOf('helper').modelOptions).toEqual(options);
    expect(register().settingsOf('helper').modelOptions).toEqual({});
  });

  test('have the endpoint’s effort where the agent has none', () => {
    const defaults = { reasoningEffort: 'low' };
    const effort = (changes: object) =>
      register(changes, defaults).settingsOf('helper').modelOptions?.reasoningEffort;
    expect(effort({})).toBe('low');
    expect(effort({ reasoningEffort: 'none' })).toBe('none');
  });

  test('change the hash of a definition only where they are set', () => {
    const hash = (changes: object) => register(changes).definitionOf('helper');
    // As it was before there were such options: runs have recorded it.
    expect(hash({})).toBe('21414373e65ad6ba');
    expect(hash({ reasoningEffort: 'low' })).not.toBe(hash({}));
    expect(hash({ extraBody: { a: 1 } })).not.toBe(hash({ extraBody: { a: 2 } }));
    // The endpoint's default is none of the agent's words.
    expect(register({}, { reasoningEffort: 'low' }).definitionOf('helper')).toBe(hash({}));
  });

  test.each<[string, object, RegExp]>([
    [
      'an effort that is no word',
      { reasoningEffort: 'very high' },
      /reasoningEffort must be a word/,
    ],
    ['an effort that is a number', { reasoningEffort: 3 }, /reasoningEffort must be a word/],
    ['another choice', { toolChoice: 'any' }, /toolChoice must be 'auto'/],
    [
      'the choice of a tool it has not',
      { toolChoice: { tool: 'other' } },
      /one of the agent's tools/,
    ],
    ['calls that are parallel by text', { parallelToolCalls: 'yes' }, /parallelToolCalls must be/],
    ['half a token', { maxOutputTokens: 0.5 }, /maxOutputTokens must be/],
    ['heat', { temperature: 3 }, /temperature must be/],
    ['a body that is a list', { extraBody: [] }, /extraBody must be an object/],
    ['a body that JSON cannot hold', { extraBody: { a: 1n } }, /extraBody must be an object/],
    ['a body that says who answers', { extraBody: { model: 'x' } }, /extraBody cannot set model/],
    [
      'a body that streams',
      { extraBody: { stream: true, n: 2 } },
      /extraBody cannot set stream, n/,
    ],
    [
      'a body that chooses tools',
      { extraBody: { tool_choice: 'required' } },
      /cannot set tool_choice/,
    ],
    ['a body that stores', { extraBody: { store: true } }, /extraBody cannot set store/],
  ])('with %s are refused', (_what, changes, message) => {
    expect(() => register(changes)).toThrow(
      expect.objectContaining({ code: 'agent.invalid', message: expect.stringMatching(message) }),
    );
  });
});

describe('more tools than an endpoint takes', () => {
  const tools = Array.from({ length: 129 }, (_, i) => toolNamed(`tool_${i}`));
  const at = (env: Record<string, string>) => () =>
    createRegistry([agent({ tools })], registryDefaults(readConfig(env)));

  test.each<[string, Record<string, string>]>([
    ['OpenAI', { OPENAI_API_KEY: 'k' }],
    [
      'OpenAI by its address',
      { OPENAI_BASE_URL: 'https://api.openai.com/v1', OPENAI_API_KEY: 'k' },
    ],
    ['a gateway to it', { OPENAI_BASE_URL: 'http://127.0.0.1:4000/v1', OPENAI_DIALECT: 'openai' }],
    ['DeepSeek', { OPENAI_BASE_URL: 'https://api.deepseek.com/v1' }],
  ])('are refused when the agent is registered: %s', (_name, env) => {
    expect(at(env)).toThrow(
      expect.objectContaining({
        code: 'agent.invalid',
        message: expect.stringMatching(/129 tools, and the model's endpoint takes 128/),
      }),
    );
  });

  test.each<[string, Record<string, string>]>([
    ['one whose limit is not known', { OPENAI_BASE_URL: 'http://127.0.0.1:8000/v1' }],
    [
      'one that takes more',
      { OPENAI_BASE_URL: 'https://generativelanguage.googleapis.com/v1beta/openai' },
    ],
    ['the scripted model', {}],
  ])('are not at %s', (_name, env) => {
    expect(at(env)).not.toThrow();
  });
});
