import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.ts';
import { resolveEndpoint } from '../../src/model/openai/endpoint.ts';

const config = (env: Record<string, string>) => () => readConfig(env);

describe('how an endpoint is spoken to', () => {
  test.each([
    ['https://api.openai.com/v1', 'auto', 'responses'],
    ['https://api.openai.com/v1', 'chat', 'chat'],
    ['https://acme.openai.azure.com/openai/v1/', 'auto', 'chat'],
    ['http://127.0.0.1:8000/v1', 'auto', 'chat'],
    ['http://127.0.0.1:8000/v1', 'responses', 'responses'],
  ] as const)('%s with %s is %s', (baseUrl, api, expected) => {
    expect(resolveEndpoint({ baseUrl, api }).api).toBe(expected);
  });

  test('OpenAI without an address is Responses', () => {
    expect(resolveEndpoint({ apiKey: 'k' })).toMatchObject({ api: 'responses', dialect: 'openai' });
  });

  test.each([
    ['https://api.mistral.ai/v1', 'max_tokens'],
    ['https://api.deepseek.com/v1', 'max_tokens'],
    ['http://localhost:11434/v1', 'max_tokens'],
    ['https://api.openai.com/v1', 'max_completion_tokens'],
    ['http://127.0.0.1:8000/v1', 'max_completion_tokens'],
  ])('the limit of an answer is named at %s: %s', (baseUrl, field) => {
    expect(resolveEndpoint({ baseUrl }).outputLimitField).toBe(field);
    expect(resolveEndpoint({ baseUrl, outputLimitField: 'max_tokens' }).outputLimitField).toBe(
      'max_tokens',
    );
  });
});

describe('the settings of an endpoint', () => {
  test('are read from the environment', () => {
    const env = {
      OPENAI_API: 'responses',
      OPENAI_REASONING_EFFORT: 'low',
      OPENAI_DIALECT: 'gemini',
      OPENAI_OUTPUT_LIMIT_FIELD: 'max_tokens',
      OPENAI_STRUCTURED: 'object',
      OPENAI_CUSTOM_HEADERS: 'X-Team: red\n\n X-Other:  a: b \n',
    };
    expect(readConfig(env)).toMatchObject({
      openaiApi: 'responses',
      openaiReasoningEffort: 'low',
      openaiDialect: 'gemini',
      openaiOutputLimitField: 'max_tokens',
      openaiStructured: 'object',
      openaiHeaders: { 'X-Team': 'red', 'X-Other': 'a: b' },
    });
  });

  test.each([
    ['OPENAI_API', 'completions', /is none of auto, chat, responses/],
    ['OPENAI_DIALECT', 'gpt', /is none of openai, azure/],
    ['OPENAI_OUTPUT_LIMIT_FIELD', 'tokens', /is none of max_tokens/],
    ['OPENAI_STRUCTURED', 'json', /is none of schema, object, prompt/],
    ['OPENAI_REASONING_EFFORT', 'Very high', /is no word/],
    ['OPENAI_CUSTOM_HEADERS', 'secret-4711', /has a line that is no "Name: value"/],
    ['OPENAI_CUSTOM_HEADERS', 'X-Team: secret-4711\u00e4', /printable ASCII/],
    ['OPENAI_CUSTOM_HEADERS', 'Idempotency-Key: secret-4711', /cannot set Idempotency-Key/],
  ])('%s=%s is refused, without repeating it', (name, value, message) => {
    expect(config({ [name]: value })).toThrow(
      expect.objectContaining({ code: 'config.invalid', message: expect.stringMatching(message) }),
    );
    expect(config({ [name]: value })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('4711') }),
    );
  });
});
