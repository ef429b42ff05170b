import { pieces } from './pieces.ts';
import type {
  Completion,
  ToolCall,
} from '../../../src/extras/dev/scripted-model/chat/completion.ts';

/** A completion as server-sent events: `chat.completion.chunk`s, the usage chunk, `[DONE]`. */
export function toChatEvents(completion: Completion, includeUsage: boolean): string[] {
  const [choice] = completion.choices;
  const { id, created, model, system_fingerprint } = completion;
  const base = { id, object: 'chat.completion.chunk', created, model, system_fingerprint };
  const { role, content, refusal, tool_calls: calls = [], ...extras } = choice.message;
  const chunk = (delta: object, finish: string | null = null, more: object = {}) => ({
    ...base,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish, ...more }],
  });

  const chunks: object[] = [chunk({ role, content: content && '' })];
  for (const [name, value] of Object.entries(extras)) chunks.push(chunk({ [name]: value }));
  if (typeof content === 'string') {
    for (const part of pieces(content)) chunks.push(chunk({ content: part }));
  } else if (content !== null) chunks.push(chunk({ content }));
  if (refusal !== null) chunks.push(chunk({ refusal }));
  for (const [index, call] of calls.entries()) {
    for (const delta of callDeltas(call, index)) chunks.push(chunk({ tool_calls: [delta] }));
  }
  chunks.push(chunk({}, choice.finish_reason, choice.error ? { error: choice.error } : {}));
  if (includeUsage && completion.usage) {
    chunks.push({ ...base, choices: [], usage: completion.usage });
  }
  return [...chunks.map((each) => `data: ${JSON.stringify(each)}\n\n`), 'data: [DONE]\n\n'];
}

function callDeltas({ function: { name, arguments: args }, ...call }: ToolCall, index: number) {
  if (typeof args !== 'string') return [{ index, ...call, function: { name, arguments: args } }];
  return [
    { index, ...call, function: { name, arguments: '' } },
    ...pieces(args).map((part) => ({ index, function: { arguments: part } })),
  ];
}
