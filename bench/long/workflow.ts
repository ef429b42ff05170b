import { proxyActivities } from '@temporalio/workflow';
import type { PlainActivities, PlainMessage } from '../plain/activities.ts';

const { callModel, look } = proxyActivities<PlainActivities>({
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '5 seconds',
});

/**
 * The plain workflow without its limit of turns, and with one tool: the conversation is in its input
 * and in those of its activities. It ends when the model asks for nothing more, or when Temporal ends
 * it.
 */
export async function plainLong(question: string): Promise<string> {
  const messages: PlainMessage[] = [{ role: 'user', content: question }];
  for (;;) {
    const { content, calls } = await callModel(messages);
    if (calls.length === 0) return content ?? '';
    messages.push({ role: 'assistant', content, tool_calls: calls });
    for (const call of calls) {
      const found = await look(call.function.arguments);
      messages.push({ role: 'tool', tool_call_id: call.id, content: found });
    }
  }
}
