import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { finalOutput } from '../../src/activities/model/final-output.ts';
import { defineAgent } from '../../src/define/define-agent.ts';
import { createRegistry } from '../../src/define/registry.ts';
import type { EarlierStep } from '../../src/ledger/port.ts';

const point = z.object({ x: z.number(), label: z.string().optional() });

function judge(content: string, output: z.ZodType = point, earlier: EarlierStep[] = []) {
  const definition = defineAgent({
    name: 'judge',
    description: 'Judges.',
    instructions: 'Judge.',
    tools: [],
    output,
  });
  const agent = createRegistry([definition], { defaultModel: 'm' }).agent('judge');
  if (!agent) throw new Error('It is registered.');
  return finalOutput(agent, { calls: [], content }, earlier);
}

const REPAIRED = [
  { step: 't1.model', result: { repair: 'It is wrong.' } },
] as unknown as EarlierStep[];

describe('an answer is read as JSON', () => {
  test.each([
    ['plain', '{"x":1}'],
    ['in a fence', '```json\n{"x":1}\n```'],
    ['in a fence among words', 'Here it is:\n```\n{ "x": 1 }\n```\nAsk me for more.'],
    ['among words', 'The answer is {"x":1} as asked.'],
    ['with braces in its texts', 'So: {"x":1,"label":"}{"} and no more'],
  ])('%s', async (_name, content) => {
    expect(await judge(content)).toMatchObject({ output: { x: 1 } });
  });

  test.each([
    ['words alone', 'It is one.', /not one JSON object/],
    ['two objects', '{"x":1} or {"x":2}', /not one JSON object/],
    ['words with braces', 'In {x} it is {"x":1}', /not one JSON object/],
    ['an object of a list', 'All: [{"x":1}]', /not one JSON object/],
    ['one of several in a list', '[1, {"x":1}, 2] it is', /not one JSON object/],
    ['a list', '[{"x":1}]', /expected object, received array/],
    ['text in quotes', '"{\\"x\\":1}"', /expected object, received string/],
    ['a member twice', '{"x":1,"x":2}', /duplicate member/],
    ['a number that no double holds', '{"x":9007199254740993}', /beyond 2\^53/],
    ['nothing', '', /not one JSON object/],
    ['cut off', '{"x":1', /not one JSON object/],
    ['another type', '{"x":"1"}', /At x: Invalid input: expected number, received string\./],
  ])('and not guessed: %s', async (_name, content, wrong) => {
    expect(await judge(content)).toEqual({ repair: expect.stringMatching(wrong) });
  });
});

test('what the schema makes of an answer is the output', async () => {
  const made = z.object({ tags: z.string().transform((all) => all.split(',')) });
  expect(await judge('{"tags":"a,b","more":1}', made)).toEqual({ output: { tags: ['a', 'b'] } });
});

test('what the model is told is cut, and paths are told', async () => {
  const many = z.object({ list: z.array(z.object({ n: z.number() })) });
  const list = Array.from({ length: 500 }, () => ({ n: 'no' }));
  const { repair = '' } = await judge(JSON.stringify({ list }), many);
  expect(repair).toContain('At list[0].n: Invalid input');
  expect(repair.length).toBeLessThan(2_500);
});

test.each<[string, z.ZodType, RegExp]>([
  ['a date', point.transform(() => ({ at: new Date(0) })), /not JSON.*not a plain object/],
  ['nothing', point.transform(() => undefined), /not JSON.*is undefined/],
  [
    'an error',
    point.refine(() => {
      throw new Error('no table of points');
    }),
    /cannot check the answer: Error: no table of points/,
  ],
])('a schema that makes %s of an answer fails the step at once', async (_name, schema, message) => {
  await expect(judge('{"x":1}', schema)).rejects.toMatchObject({
    code: 'output.invalid',
    retryable: false,
    message: expect.stringMatching(message),
  });
});

test('an output over 1 MiB is too large, however short the answer', async () => {
  const grown = point.transform(() => 'x'.repeat(1024 * 1024));
  await expect(judge('{"x":1}', grown)).rejects.toMatchObject({ code: 'output.too_large' });
});

test('a run has one repair', async () => {
  await expect(judge('no', point, REPAIRED)).rejects.toMatchObject({
    code: 'output.invalid',
    retryable: false,
    message: expect.stringMatching(/It is not one JSON object\..*Resume the run/),
  });
  expect(await judge('{"x":2}', point, REPAIRED)).toEqual({ output: { x: 2 } });
  // A tool's result may have a member of that name.
  const ofTool = [{ step: 't1.c0', result: { repair: 'the roof' } }] as unknown as EarlierStep[];
  expect(await judge('no', point, ofTool)).toHaveProperty('repair');
});
