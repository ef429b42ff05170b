import { randomBytes } from 'node:crypto';
import type { CallIds } from '../../../../src/extras/dev/scripted-model/calls.ts';
import {
  invalid,
  type Dialect,
  type Problem,
} from '../../../../src/extras/dev/scripted-model/dialect.ts';
import type { ChatMessage, ChatRequest } from '../../../../src/extras/dev/scripted-model/wire.ts';
import { thoughtsOf } from './thinking.ts';

const BODY = new Set(
  `model messages tools tool_choice temperature top_p max_tokens stream stop random_seed
  response_format presence_penalty frequency_penalty n prediction parallel_tool_calls prompt_mode
  safe_prompt metadata guardrails`.split(/\s+/),
);
const MESSAGE: Record<string, ReadonlySet<string>> = {
  system: new Set(['role', 'content']),
  user: new Set(['role', 'content']),
  assistant: new Set(['role', 'content', 'tool_calls', 'prefix']),
  tool: new Set(['role', 'content', 'tool_call_id', 'name']),
};
const CALL = new Set(['id', 'type', 'function', 'index']);
const CALL_ID = /^[a-zA-Z0-9]{9}$/;

/** Nine letters and digits, as Mistral wants them. */
const mistralIds: CallIds = () => randomBytes(8).toString('hex').slice(0, 9);

/** Mistral: no member that it does not know, call IDs of nine letters or digits. */
export function mistralDialect(): Dialect {
  return {
    callIds: mistralIds,
    errorBody: ({ status, message, type, param, code, ...more }) => ({
      object: 'error',
      message: 'detail' in more ? more : message,
      type,
      param,
      code,
      raw_status_code: status,
    }),
    refuseChat(request) {
      const unknown = unknownMembers(request);
      if (unknown.length > 0) return unprocessable(unknown);
      return refuseCallIds(request.messages);
    },
    dressChat({ choices: [{ message }] }, request, reply) {
      if (message.content === null) message.content = '';
      if (!thinks(request) || typeof message.content !== 'string') return;
      const thought = { type: 'text', text: thoughtsOf(request, reply) };
      message.content = [
        { type: 'thinking', thinking: [thought] },
        ...(message.content === '' ? [] : [{ type: 'text', text: message.content }]),
      ];
    },
  };
}

function thinks(request: ChatRequest): boolean {
  const effort = request['reasoning_effort'] ?? 'none';
  return request.model.startsWith('magistral') || effort !== 'none';
}

/** Where an unknown member stands, and its value. */
type Unknown = [loc: (string | number)[], input: unknown];

function unknownMembers(request: ChatRequest): Unknown[] {
  const found = extras(request, (name) => BODY.has(name) || takesEffort(request.model, name), []);
  for (const [index, message] of request.messages.entries()) {
    const at = ['messages', index, message.role];
    const known = MESSAGE[message.role] ?? new Set();
    found.push(...extras(message, (name) => known.has(name), at));
    for (const [number, call] of (message.tool_calls ?? []).entries()) {
      found.push(...extras(call, (name) => CALL.has(name), [...at, 'tool_calls', number]));
    }
  }
  return found;
}

function takesEffort(model: string, member: string): boolean {
  return member === 'reasoning_effort' && /^mistral-(?:small|medium|large-[4-9])/.test(model);
}

function extras(value: object, knows: (name: string) => boolean, at: Unknown[0]): Unknown[] {
  return Object.entries(value)
    .filter(([name]) => !knows(name))
    .map(([name, input]) => [['body', ...at, name], input]);
}

/** With every single complaint. */
function unprocessable(unknown: readonly Unknown[]): Problem & { detail: object[] } {
  const detail = unknown.map(([loc, input]) => ({
    type: 'extra_forbidden',
    loc,
    msg: 'Extra inputs are not permitted',
    input,
  }));
  const type = 'invalid_request_message_error';
  return { ...invalid('Extra inputs are not permitted', { status: 422, type }), detail };
}

function refuseCallIds(messages: readonly ChatMessage[]): Problem | undefined {
  const ids = messages.flatMap((message) => [
    ...(message.tool_calls ?? []).map((call) => call.id),
    ...(message.role === 'tool' ? [String(message.tool_call_id)] : []),
  ]);
  const wrong = ids.find((id) => !CALL_ID.test(id));
  return wrong === undefined
    ? undefined
    : invalid(`Tool call id was ${wrong} but must be a-z, A-Z, 0-9, with a length of 9.`, {
        type: 'invalid_function_call',
        code: '3280',
      });
}
