import type { RegisteredAgent } from '../../define/registry.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import { modelStep, toolStep, type UserMessage } from '../../contract/step.ts';
import type { EarlierStep } from '../../ledger/port.ts';
import type { ModelMessage } from '../../model/port.ts';
import { asCall, asTurnRecord, callId, type RecordedCall } from './turn-record.ts';

/**
 * The conversation before a turn, as the model is shown it: the ledger's steps of the turns before
 * it, in the model's own order, then what is new.
 *
 * @param steps the scope's steps of the turns before `turn`
 */
export function conversationOf(
  agent: RegisteredAgent,
  steps: readonly EarlierStep[],
  turn: number,
  news: readonly UserMessage[],
): ModelMessage[] {
  const byName = new Map(steps.map((step) => [step.step, step]));
  const messages: ModelMessage[] = [{ role: 'system', content: agent.definition.instructions }];

  for (let earlier = 1; earlier < turn; earlier += 1) {
    const model = completed(byName.get(modelStep(earlier)), modelStep(earlier));
    messages.push(...(model.request as unknown as UserMessage[]).map((said) => show(agent, said)));
    const { content, calls, opaque, repair } = asTurnRecord(model.result);
    // Named anew: earlier versions recorded the endpoint's own names, which need not be unique.
    const named = calls.map((call) => ({ ...call, id: callId(earlier, call.index) }));
    messages.push({
      role: 'assistant',
      content,
      calls: named.map(asCall),
      ...(opaque ? { opaque } : {}),
    });
    for (const call of named) {
      messages.push({ role: 'tool', callId: call.id, content: answerTo(call, earlier, byName) });
    }
    if (repair !== undefined) messages.push({ role: 'user', content: repair });
  }
  return [...messages, ...news.map((said) => show(agent, said))];
}

function answerTo(call: RecordedCall, turn: number, steps: Map<string, EarlierStep>): string {
  if (call.refusal !== undefined) return JSON.stringify({ error: call.refusal });
  const same = call.sameAs ?? call.index;
  const name = typeof same === 'number' ? toolStep(turn, same) : same;
  const { result, edited, request } = completed(steps.get(name), name);
  if (!edited) return asText(result);
  // Otherwise the model would take the answer for one to what it has asked for.
  return JSON.stringify({ note: CHANGED, arguments: request, result });
}

const CHANGED =
  'A person changed the arguments of this call before they approved it. They are given here in the place of yours, and the result is that of the changed call.';

function show(agent: RegisteredAgent, message: UserMessage): ModelMessage {
  const { prompt } = agent.definition;
  return { role: 'user', content: prompt ? prompt(message.content) : asText(message.content) };
}

function asText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function completed(step: EarlierStep | undefined, name: string) {
  if (step?.state === 'completed') return step as EarlierStep & { result: JsonValue };
  throw new AgentOnceError(
    'ledger.restored',
    `The ledger has lost the result of ${name}, which this turn builds on: an earlier state of it was restored. Nothing was done, and the step is tried again. Point LEDGER_URL at the ledger that has all; if there is none, run "agent-once ledger accept-restore".`,
  );
}
