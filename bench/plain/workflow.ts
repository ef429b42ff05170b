import { proxyActivities } from '@temporalio/workflow';
import type { PlainActivities, PlainMessage } from './activities.ts';

const { callModel } = proxyActivities<PlainActivities>({
  startToCloseTimeout: '5 minutes',
  scheduleToCloseTimeout: '30 minutes',
  heartbeatTimeout: '5 seconds',
  retry: {
    initialInterval: '500 milliseconds',
    backoffCoefficient: 2,
    maximumInterval: '30 seconds',
    maximumAttempts: 8,
  },
});

const tools = proxyActivities<Pick<PlainActivities, 'look' | 'charge'>>({
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '10 minutes',
  heartbeatTimeout: '5 seconds',
  retry: {
    initialInterval: '500 milliseconds',
    backoffCoefficient: 2,
    maximumInterval: '15 seconds',
    maximumAttempts: 5,
  },
});

/**
 * An agent as one writes it with Temporal alone: durable, with retries, the conversation in the
 * activities' inputs, the tool calls of a turn at once; without keys, tokens and records.
 */
export async function plainAgent(question: string): Promise<string> {
  const messages: PlainMessage[] = [
    { role: 'system', content: 'You play what the script says.' },
    { role: 'user', content: question },
  ];
  for (let turn = 1; turn <= 20; turn += 1) {
    const { content, calls } = await callModel(messages);
    if (calls.length === 0) return content ?? '';
    messages.push({ role: 'assistant', content, tool_calls: calls });
    const results = await Promise.all(
      calls.map(async (call) => ({
        role: 'tool' as const,
        tool_call_id: call.id,
        content: await tools[call.function.name](call.function.arguments),
      })),
    );
    messages.push(...results);
  }
  throw new Error('Out of turns');
}
