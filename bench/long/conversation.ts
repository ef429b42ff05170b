/** A token of English is about four bytes. */
const BYTES_PER_TOKEN = 4;
/** As long as the one that a Temporal workflow was reported to die of: temporalio/sdk-python#1890. */
export const CONVERSATION_TOKENS = 209_000;
/** What a tool answers, in bytes, as in that report. */
export const TOOL_BYTES = 5_000;

export const LONG_ANSWER = 'The conversation has ended.';

/** Text of a size: words that compress about as well as English does, the same each time. */
export function textOf(bytes: number): string {
  const words: string[] = [];
  let state = 42;
  for (let length = 0; length < bytes;) {
    // A linear congruential generator: nothing here is random.
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const word = `w${(state >>> 20).toString(36)}`;
    words.push(word);
    length += word.length + 1;
  }
  return words.join(' ').slice(0, bytes);
}

export function conversation(): string {
  return textOf(CONVERSATION_TOKENS * BYTES_PER_TOKEN);
}

/**
 * The request as text, which is what the model sees of it: it plays so many model calls, each but the
 * last with one tool call.
 *
 * @param tool what every turn calls
 * @param first what the first turn calls in its place, which brings the conversation; without it the
 *   conversation is in the request, as an entry of the script that is never played
 */
export function longQuestion(modelCalls: number, tool: string, first?: string): string {
  const calls = Array.from({ length: modelCalls - 1 }, (_, turn) => ({
    calls: [
      { name: turn === 0 ? (first ?? tool) : tool, arguments: { label: `item-${turn + 1}` } },
    ],
  }));
  const unplayed = first === undefined ? [{ say: conversation() }] : [];
  return JSON.stringify({ script: [...calls, { say: LONG_ANSWER }, ...unplayed] });
}
