import OpenAI from 'openai';
import { createFaults } from '../../../activities/faults.ts';
import { readConfig } from '../../../config.ts';
import { readHttpUrl } from '../../../env.ts';

export type PlainMessage = OpenAI.Chat.Completions.ChatCompletionMessageParam;

const config = readConfig();
const shopUrl = readHttpUrl('SHOP_URL') ?? '';
const fault = createFaults(config.fault);
const openai = new OpenAI({
  baseURL: config.openaiBaseUrl ?? null,
  apiKey: config.openaiApiKey ?? '',
});

const order = { type: 'number', description: 'Number of the order' };
const TOOLS: OpenAI.Chat.Completions.ChatCompletionTool[] = [
  tool('lookup_order', 'Looks an order up', { order }),
  tool('issue_refund', 'Refunds a part of an order', {
    order,
    amountEur: { type: 'number', description: 'Amount in EUR' },
    reason: { type: 'string', description: 'Why' },
  }),
];

async function askModel(messages: PlainMessage[]): Promise<PlainMessage> {
  const completion = await openai.chat.completions.create({
    model: config.openaiModel,
    messages,
    tools: TOOLS,
    // OpenAI's own models take tools in chat completions only without thinking.
    ...(config.openaiBaseUrl === undefined ? { reasoning_effort: 'none' as const } : {}),
  });
  const message = completion.choices[0]?.message;
  if (!message) throw new Error('No answer');
  return message;
}

async function runTool(name: string, args: string): Promise<string> {
  const input = JSON.parse(args) as { order: number };
  const response =
    name === 'issue_refund'
      ? await fetch(new URL('/refunds', shopUrl), {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(input),
        })
      : await fetch(new URL(`/orders/${input.order}`, shopUrl));
  const result = await response.text();
  // The same place as in the run beside it: the shop has booked, nothing is recorded.
  fault('after-effect', name, 1);
  return result;
}

export const activities = { askModel, runTool };
export type PlainActivities = typeof activities;

function tool(name: string, description: string, properties: Record<string, unknown>) {
  const parameters = { type: 'object', properties, required: Object.keys(properties) };
  return { type: 'function', function: { name, description, parameters } } as const;
}
