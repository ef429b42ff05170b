import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { chat, choiceOf, ECHO, echo, script, startModel } from '../support/model/client.ts';
import type { TestModel } from '../support/model/test-model.ts';

let model: TestModel;
let openai: OpenAI;

beforeAll(async () => {
  model = await startModel();
  openai = new OpenAI({ baseURL: model.url, apiKey: 'none', maxRetries: 0 });
});
afterAll(() => model.stop());

describe('a stream of chat completions', () => {
  test('gives the same message, the usage chunk and the end mark', async () => {
    const messages = [script({ calls: [echo('x'.repeat(80))] })];
    const whole = await chat(model.url, messages);
    const stream = openai.chat.completions.stream({
      model: 'some-model',
      messages,
      tools: [{ type: 'function', function: ECHO }],
      stream_options: { include_usage: true },
    });
    const streamed = await stream.finalChatCompletion();
    expect(streamed.choices[0]?.message).toMatchObject(choiceOf(whole).message);
    expect(streamed.choices[0]?.finish_reason).toBe('tool_calls');
    expect(streamed.usage).toEqual((whole.body as { usage: object }).usage);
  });

  test('has no usage chunk unless it is asked for', async () => {
    const { type, body } = await chat(model.url, [script({ say: 'x' })], { stream: true });
    expect(type).toContain('text/event-stream');
    expect(body).toMatch(/\ndata: \[DONE\]\n\n$/);
    expect(body).not.toContain('"usage"');
  });
});

describe('a stream of Responses', () => {
  test.each([
    ['completed', { say: 'a long text, in several pieces', calls: [echo('x'.repeat(80))] }],
    ['incomplete', { say: 'half', finish: 'length' }],
    ['failed', { say: 'half', finish: 'error' }],
    ['completed', { refusal: 'Not that.' }],
  ])('reads a stream to its end: %s', async (status, entry) => {
    const stream = await openai.responses.create({
      model: 'some-model',
      input: script(entry).content,
      stream: true,
    });
    const events = [];
    for await (const event of stream) events.push(event);
    const last = events.at(-1);
    expect(events[0]?.type).toBe('response.created');
    expect(last).toMatchObject({ type: `response.${status}`, response: { status } });
    const done = events.flatMap((each) =>
      each.type === 'response.output_item.done' ? [each.item] : [],
    );
    expect(last).toMatchObject({ response: { output: done } });
    expect(events.map((each) => each.sequence_number)).toEqual(events.map((_, index) => index));
  });

  test('puts a stream together', async () => {
    const stream = openai.responses.stream({
      model: 'some-model',
      input: script({ say: 'several pieces of a longer text', calls: [echo('y')] }).content,
    });
    const response = await stream.finalResponse();
    expect(response.output_text).toBe('several pieces of a longer text');
    expect(response.output.at(-1)).toMatchObject({ arguments: '{"text":"y"}' });
  });
});
