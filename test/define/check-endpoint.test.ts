import { expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.ts';
import type { ModelEndpoints } from '../../src/contract/model-endpoint.ts';
import { registryDefaults } from '../../src/define/registry-defaults.ts';

const check = (endpoints: unknown) => () =>
  registryDefaults(readConfig({}), endpoints as ModelEndpoints);
const one = (definition: unknown) => check({ fast: definition });

test('endpoints that fit are taken', () => {
  const apiKey = async () => 'k';
  expect(
    one({ baseUrl: undefined, apiKey, dialect: 'groq', options: { temperature: undefined } }),
  ).not.toThrow();
  expect(
    check({ 'vendor/thinker:free': {}, 'gpt-6.1-sol': { streamIdleMs: 5_000 } }),
  ).not.toThrow();
});

test.each<[string, () => void, RegExp]>([
  ['a name with a space', check({ 'my model': {} }), /the name of an endpoint/],
  ['nothing', one(null), /endpoint 'fast': /],
  ['a misspelt member', one({ apiKeyy: 'hunter2' }), /endpoint 'fast': .*apiKeyy/],
  ['an unknown dialect', one({ dialect: 'opnai' }), /endpoint 'fast', dialect: /],
  ['an unknown API', one({ api: 'chatt' }), /, api: /],
  ['another way to tell the output', one({ structured: 'xml' }), /, structured: /],
  ['a header with a space in its name', one({ headers: { 'a b': 'hunter2' } }), /, headers/],
  ['a header with a line break', one({ headers: { a: 'hunter2\n' } }), /, headers.a: /],
  ['a header of the engine’s', one({ headers: { 'Idempotency-Key': 'hunter2' } }), /, headers/],
  ['no silence at all', one({ streamIdleMs: 0 }), /, streamIdleMs: /],
  ['no limit of silence', one({ streamIdleMs: Number.POSITIVE_INFINITY }), /, streamIdleMs: /],
  ['more than a timer holds', one({ streamIdleMs: 2 ** 31 }), /, streamIdleMs: /],
  ['a temperature in words', one({ options: { temperature: 'hot' } }), /options.temperature: /],
  ['no tokens', one({ options: { maxOutputTokens: -5 } }), /options.maxOutputTokens: /],
  ['a body of the engine’s', one({ options: { extraBody: { stream: true } } }), /extraBody/],
])('%s is refused, with its place and without its value', (_what, call, message) => {
  expect(call).toThrow(
    expect.objectContaining({
      code: 'config.invalid',
      message: expect.stringMatching(message),
    }),
  );
  expect(call).not.toThrow(/hunter2/);
});
