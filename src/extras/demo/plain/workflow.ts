import { proxyActivities } from '@temporalio/workflow';
import type { PlainActivities, PlainMessage } from './activities.ts';

const { askModel, runTool } = proxyActivities<PlainActivities>({
  startToCloseTimeout: '5 seconds',
});

/** An agent as one would write it at first: durable, with retries, without keys and tokens. */
export async function plainAgent(question: string): Promise<string> {
  const messages: PlainMessage[] = [{ role: 'user', content: question }];
  for (;;) {
    const answer = await askModel(messages);
    messages.push(answer);
    const calls = 'tool_calls' in answer ? (answer.tool_calls ?? []) : [];
    if (calls.length === 0) return typeof answer.content === 'string' ? answer.content : '';
    for (const call of calls) {
      if (call.type !== 'function') continue;
      const content = await runTool(call.function.name, call.function.arguments);
      messages.push({ role: 'tool', tool_call_id: call.id, content });
    }
  }
}
