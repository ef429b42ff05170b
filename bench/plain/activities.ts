import { Context } from '@temporalio/activity';
import OpenAI from 'openai';

export type PlainMessage = OpenAI.Chat.Completions.ChatCompletionMessageParam;

/** A tool call that the model asks for. */
interface PlainCall {
  id: string;
  type: 'function';
  function: { name: 'look' | 'charge'; arguments: string };
}

interface PlainAnswer {
  content: string | null;
  calls: PlainCall[];
}

const openai = new OpenAI({
  baseURL: process.env['OPENAI_BASE_URL'] ?? null,
  apiKey: process.env['OPENAI_API_KEY'] ?? '',
  maxRetries: 0,
});

const TOOLS = [
  describeTool('look', 'Reads; every request counts.'),
  describeTool('charge', 'Charges; every request counts.'),
];

async function callModel(messages: PlainMessage[]): Promise<PlainAnswer> {
  return withHeartbeat(async (signal) => {
    const completion = await openai.chat.completions.create(
      { model: process.env['OPENAI_MODEL'] ?? '', messages, tools: TOOLS },
      { signal },
    );
    const message = completion.choices[0]?.message;
    if (!message) throw new Error('No answer');
    return { content: message.content, calls: (message.tool_calls ?? []) as PlainCall[] };
  });
}

async function look(args: string): Promise<string> {
  const { label } = JSON.parse(args) as { label: string };
  return withHeartbeat((signal) => count(`look:${label}`, signal));
}

async function charge(args: string): Promise<string> {
  const { label } = JSON.parse(args) as { label: string };
  return withHeartbeat((signal) => count(`charge:${label}`, signal));
}

async function count(name: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(`${process.env['BENCH_COUNTER_URL']}/count/${name}`, {
    method: 'POST',
    signal,
  });
  if (!response.ok) throw new Error(`The counter answered ${response.status}`);
  return response.text();
}

/** Lets Temporal notice within the heartbeat timeout that the worker has died. */
async function withHeartbeat<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), 1_500);
  try {
    return await work(context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}

function describeTool(name: string, description: string) {
  const parameters = {
    type: 'object',
    properties: { label: { type: 'string' } },
    required: ['label'],
    additionalProperties: false,
  };
  return { type: 'function', function: { name, description, parameters } } as const;
}

export const activities = { callModel, look, charge };
export type PlainActivities = typeof activities;
