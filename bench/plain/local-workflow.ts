import { proxyLocalActivities } from '@temporalio/workflow';
import type { PlainActivities, PlainMessage } from './activities.ts';

const activities = proxyLocalActivities<PlainActivities>({
  startToCloseTimeout: '5 seconds',
  scheduleToCloseTimeout: '10 minutes',
  retry: {
    initialInterval: '500 milliseconds',
    backoffCoefficient: 2,
    maximumInterval: '15 seconds',
    maximumAttempts: 5,
  },
});

/**
 * `plainAgent` with local activities alone: as fast as Temporal makes it, and a worker that dies repeats
 * whatever its workflow task had done.
 */
export async function plainLocalAgent(question: string): Promise<string> {
  const messages: PlainMessage[] = [
    { role: 'system', content: 'You play what the script says.' },
    { role: 'user', content: question },
  ];
  for (let turn = 1; turn <= 20; turn += 1) {
    const { content, calls } = await activities.callModel(messages);
    if (calls.length === 0) return content ?? '';
    messages.push({ role: 'assistant', content, tool_calls: calls });
    const results = await Promise.all(
      calls.map(async (call) => ({
        role: 'tool' as const,
        tool_call_id: call.id,
        content: await activities[call.function.name](call.function.arguments),
      })),
    );
    messages.push(...results);
  }
  throw new Error('Out of turns');
}
