import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { understand } from '../../examples/scripted-model/support/understand.ts';
import { support } from '../../src/app/agents/support.ts';
import {
  startScriptedModel,
  type ScriptedModel,
} from '../../src/extras/dev/scripted-model/server.ts';

type Message = OpenAI.Chat.ChatCompletionMessageParam;

let model: ScriptedModel;
let openai: OpenAI;

beforeAll(async () => {
  model = await startScriptedModel();
  openai = new OpenAI({ baseURL: model.url, apiKey: 'none', maxRetries: 0 });
});
afterAll(() => model.stop());

const ALL = support.tools.map((tool) => tool.name);
const ORDER = {
  order: 1042,
  customer: 'Alan Turing',
  email: 'alan@example.com',
  items: ['bike light'],
  totalEur: 289.9,
  refundedEur: 0,
};

/** Plays a whole run: each turn's calls, and the final sentence. */
async function converse(
  text: string,
  answers: Record<string, unknown> = { lookup_order: ORDER },
  tools: string[] = ALL,
  before: Message[] = [],
): Promise<{ turns: { name: string; input: unknown }[][]; final: string }> {
  const messages: Message[] = [{ role: 'user', content: text }, ...before];
  const turns: { name: string; input: unknown }[][] = [];
  for (let turn = 0; turn < 10; turn++) {
    const completion = await openai.chat.completions.create({
      model: 'm',
      messages,
      tools: tools.map((name) => ({ type: 'function', function: { name, parameters: {} } })),
    });
    const message = completion.choices[0]?.message;
    if (!message) throw new Error('The completion has no choice.');
    const calls = (message.tool_calls ?? []).filter((call) => call.type === 'function');
    if (calls.length === 0) return { turns, final: message.content ?? '' };
    turns.push(
      calls.map(({ function: { name, arguments: text } }) => ({
        name,
        input: JSON.parse(text) as unknown,
      })),
    );
    messages.push(message);
    for (const { id, function: call } of calls) {
      const content = JSON.stringify(answers[call.name] ?? { done: true });
      messages.push({ role: 'tool', tool_call_id: id, content });
    }
  }
  throw new Error('The script does not come to an end.');
}

const names = (turns: { name: string }[][]) => turns.map((turn) => turn.map(({ name }) => name));

describe('the support script', () => {
  test('looks up, refunds, then notes and writes in one turn, with arguments the tools take', async () => {
    const { turns, final } = await converse('Please refund 25 EUR for order 1042.');
    expect(names(turns)).toEqual([
      ['lookup_order'],
      ['issue_refund'],
      ['note_on_order', 'send_email'],
    ]);
    expect(turns[1]?.[0]?.input).toMatchObject({ order: 1042, amountEur: 25 });
    expect(turns[2]?.[1]?.input).toMatchObject({ to: 'alan@example.com' });
    expect(final).toContain('1042');
    expect(final).toContain('25.00 EUR');
    for (const { name, input } of turns.flat()) {
      const tool = support.tools.find((candidate) => candidate.name === name);
      expect(tool?.input.safeParse(input)).toMatchObject({ success: true });
    }
  });

  test('only looks up where no refund is asked for', async () => {
    const { turns, final } = await converse('Where is #1042?');
    expect(names(turns)).toEqual([['lookup_order']]);
    expect(final).toContain('289.90 EUR');
  });

  test('has one sentence for anything else', async () => {
    const { turns, final } = await converse('Good morning!');
    expect(turns).toEqual([]);
    expect(final).toMatch(/order/);
  });

  test('stops at an error and says it', async () => {
    const { turns, final } = await converse('refund 400 EUR on order 1042', {
      lookup_order: ORDER,
      issue_refund: { error: 'Order 1042 has 289.90 EUR left to refund.' },
    });
    expect(names(turns)).toEqual([['lookup_order'], ['issue_refund']]);
    expect(final).toContain('289.90 EUR left to refund');
    const missing = await converse('refund 9 EUR on order 9999', {
      lookup_order: { error: 'There is no order 9999.' },
    });
    expect(names(missing.turns)).toEqual([['lookup_order']]);
    expect(missing.final).toContain('There is no order 9999.');
  });

  test('asks only for tools that are offered', async () => {
    const reader = await converse('refund 25 EUR on 1042', undefined, ['lookup_order']);
    expect(names(reader.turns)).toEqual([['lookup_order']]);
    expect(reader.final).toContain('no tool to refund');
    const silent = await converse('refund 25 EUR on 1042', undefined, [
      'lookup_order',
      'issue_refund',
      'note_on_order',
    ]);
    expect(names(silent.turns).at(-1)).toEqual(['note_on_order']);
  });

  test('goes on after a call that was not its own', async () => {
    const wrong: Message[] = [
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'x', type: 'function', function: { name: 'lookup_order', arguments: '{"a":1}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'x', content: '{"error":"The arguments do not fit."}' },
    ];
    const { turns, final } = await converse('refund 25 EUR on 1042', undefined, ALL, wrong);
    expect(names(turns)).toHaveLength(3);
    expect(final).toContain('25.00 EUR refunded');
  });
});

describe('understanding', () => {
  test.each<[string, number, number | undefined]>([
    ['refund 25 EUR for order 1042', 1042, 25],
    ['Refund €25 of #1042', 1042, 25],
    ['please refund order #1043: 12,50 €', 1043, 12.5],
    ['Order 1042 arrived broken, refund 25.00 EUR please', 1042, 25],
    ['refund 25 euros, order no. 1044', 1044, 25],
    ['refund order 1042', 1042, 25],
    ['refund 1042', 1042, 25],
    ['refund 25 on order 1042', 1042, 25],
    ['refund 1043 EUR 30', 1043, 30],
    ['refund EUR 1,250.00 for 1046', 1046, 1250],
    ['give the customer of 1042 her 9.99 EUR back', 1042, 9.99],
    ['{"order":1042,"refund":25}', 1042, 25],
    ['{"orderId": "1042", "task": "refund", "amountEur": 30}', 1042, 30],
    ['What is the state of order 1042?', 1042, undefined],
    ['Do not refund order 1042, tell me its state', 1042, undefined],
    ['Did order 1042 cost 289.90 EUR?', 1042, undefined],
  ])('%s', (text, order, refundEur) => {
    expect(understand(text)).toEqual({ order, refundEur });
  });

  test.each(['hello', 'refund 25 EUR', ''])('%p names no order', (text) => {
    expect(understand(text)).toBeUndefined();
  });
});
