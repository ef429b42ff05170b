import { z } from 'zod';
import type { Completion } from '../../../src/extras/dev/scripted-model/chat/completion.ts';
import { outputText, toMessage } from '../../../src/extras/dev/scripted-model/responses/output.ts';
import type { ResponseBody } from '../../../src/extras/dev/scripted-model/responses/response.ts';
import { scriptCall, scriptReply } from '../../../src/extras/dev/scripted-model/script.ts';
import { fault } from './fault.ts';

const call = scriptCall.extend({
  /** `object`: arguments go out as a JSON object, where every client expects text. */
  argumentsAs: z.enum(['text', 'object']).optional(),
  /** Sent in the place of the ID that the endpoint would make. */
  id: z.string().optional(),
});

/** An answer of a script that may be odd, where clients must read it all the same, or go wrong. */
export const testReply = scriptReply.extend({
  calls: z.array(call).optional(),
  /** `same`: every call of every turn has the same ID. `empty`: the ID is an empty text. */
  ids: z.enum(['same', 'empty']).optional(),
  /** Chat only: the first call goes out as `function_call`, in the place of `tool_calls`. */
  legacyCall: z.boolean().optional(),
  /** Chat only: the content is this list. */
  parts: z.array(z.looseObject({ type: z.string() })).optional(),
  /** Responses only: a message with `phase: "commentary"` before everything else that is said. */
  commentary: z.string().optional(),
  /** Goes wrong first: `times` times per step (default 1), then answers. */
  fault: fault.optional(),
});

export type TestReply = z.output<typeof testReply>;

/** Makes an answer as odd as its script says. */
export function makeOdd(body: Completion | ResponseBody, reply: TestReply): void {
  if (body.object === 'response') makeResponseOdd(body, reply);
  else makeCompletionOdd(body, reply);
}

function makeCompletionOdd({ choices: [choice] }: Completion, reply: TestReply): void {
  const { message } = choice;
  const [first, ...others] = message.tool_calls ?? [];
  if (reply.parts) message.content = reply.parts;
  if (!first) return;
  for (const [index, each] of [first, ...others].entries()) {
    each.id = idOf(reply, index) ?? each.id;
    makeCallOdd(each.function, reply, index);
  }
  if (!reply.legacyCall) return;
  delete message.tool_calls;
  message['function_call'] = first.function;
  if (reply.finish === undefined) choice.finish_reason = 'function_call';
}

function makeResponseOdd({ output }: ResponseBody, reply: TestReply): void {
  const calls = output.filter((item) => item.type === 'function_call');
  for (const [index, each] of calls.entries()) {
    each.call_id = idOf(reply, index) ?? each.call_id;
    makeCallOdd(each, reply, index);
  }
  if (reply.commentary === undefined) return;
  const message = output.find((item) => item.type === 'message');
  if (message && calls.length === 0) Object.assign(message, { phase: 'final_answer' });
  const commentary = toMessage(outputText(reply.commentary), 'completed');
  const at = output[0]?.type === 'reasoning' ? 1 : 0;
  output.splice(at, 0, Object.assign(commentary, { phase: 'commentary' }));
}

function idOf({ calls = [], ids }: TestReply, index: number): string | undefined {
  return calls[index]?.id ?? (ids && { same: 'call_same', empty: '' }[ids]);
}

function makeCallOdd(call: { arguments: string }, { calls = [] }: TestReply, index: number): void {
  if (calls[index]?.argumentsAs !== 'object') return;
  Object.assign(call, { arguments: JSON.parse(call.arguments) as unknown });
}
