import { asText } from '../../../src/extras/dev/scripted-model/calls.ts';
import type { Turn } from '../../../src/extras/dev/scripted-model/extension.ts';
import { offeredTools, type ChatRequest } from '../../../src/extras/dev/scripted-model/wire.ts';
import { isAnswerFault, type AnswerFault, type Fault } from './fault.ts';
import { makeOdd, type TestReply } from './test-reply.ts';

/** The answer of a turn, with what is wrong with it. */
export function answerOf(
  { request, answer }: Turn,
  reply: TestReply,
  wrong: Fault | undefined,
): ReturnType<Turn['answer']> {
  const said = wrong && isAnswerFault(wrong) ? distort(request, reply, wrong) : reply;
  const body = answer(said);
  makeOdd(body, said);
  if (wrong?.kind === 'error-in-choice') {
    const { code, message } = wrong;
    if (body.object === 'response') body.error = { code: 'server_error', message };
    else body.choices[0].error = { code, message };
  }
  return body;
}

/** What the script would have said, made wrong. */
function distort(request: ChatRequest, reply: TestReply, fault: AnswerFault): TestReply {
  const tool = reply.calls?.[0]?.name ?? offeredTools(request)[0] ?? 'no_tool_was_offered';
  switch (fault.kind) {
    case 'unknown-tool':
      return { calls: [{ name: 'tool_that_does_not_exist', arguments: {} }] };
    case 'wrong-arguments':
      return { calls: [{ name: tool, arguments: { no_such_argument: true } }] };
    case 'malformed-arguments':
      return { calls: [{ name: tool, arguments: '{"order": 10' }] };
    case 'several-calls':
      return { ...reply, calls: reply.calls?.flatMap((call) => [call, call]) };
    case 'truncated':
      return {
        ...reply,
        say: firstHalf(typeof reply.say === 'string' ? reply.say : ''),
        calls: reply.calls?.map((call) => ({
          name: call.name,
          arguments: firstHalf(asText(call.arguments)),
        })),
        finish: 'length',
      };
    case 'content-filter':
      return { finish: 'content_filter' };
    case 'refusal':
      return { refusal: 'I cannot help with that.', finish: 'stop' };
    case 'error-in-choice':
      return { ...reply, finish: 'error' };
  }
}

function firstHalf(text: string): string {
  return text.slice(0, Math.ceil(text.length / 2));
}
