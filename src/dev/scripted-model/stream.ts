import type { Completion } from './completion.ts';

/** A completion as server-sent events: `chat.completion.chunk`s, the usage chunk, `[DONE]`. */
export function toEvents(completion: Completion, includeUsage: boolean): string[] {
  const [choice] = completion.choices;
  if (!choice) return [];
  const { message } = choice;
  const base = {
    id: completion.id,
    object: 'chat.completion.chunk',
    created: completion.created,
    model: completion.model,
    system_fingerprint: completion.system_fingerprint,
  };
  const chunk = (delta: object, finish: string | null = null) => ({
    ...base,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  });

  const chunks: object[] = [chunk({ role: 'assistant', content: message.content && '' })];
  for (const part of pieces(message.content ?? '')) chunks.push(chunk({ content: part }));
  if (message.refusal !== null) chunks.push(chunk({ refusal: message.refusal }));
  for (const [index, call] of (message.tool_calls ?? []).entries()) {
    const { name, arguments: text } = call.function;
    const { id, type } = call;
    chunks.push(chunk({ tool_calls: [{ index, id, type, function: { name, arguments: '' } }] }));
    for (const part of pieces(text)) {
      chunks.push(chunk({ tool_calls: [{ index, function: { arguments: part } }] }));
    }
  }
  chunks.push(chunk({}, choice.finish_reason));
  if (includeUsage && completion.usage) {
    chunks.push({ ...base, choices: [], usage: completion.usage });
  }
  return [...chunks.map((each) => `data: ${JSON.stringify(each)}\n\n`), 'data: [DONE]\n\n'];
}

/** By code point, since half of a surrogate pair is no text. */
function pieces(text: string): string[] {
  const points = [...text];
  const parts: string[] = [];
  for (let at = 0; at < points.length; at += 24) parts.push(points.slice(at, at + 24).join(''));
  return parts;
}
