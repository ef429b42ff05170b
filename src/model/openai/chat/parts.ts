import { isObject, type JsonObject, type JsonValue } from '../../../contract/json-value.ts';

/** Members of a message that endpoints want back as they are, empty ones too. */
const MESSAGE_PARTS = [
  'reasoning_content',
  'reasoning',
  'reasoning_details',
  'extra_content',
] as const;

/**
 * What an answer's message holds that must come back.
 *
 * @returns members to put into the message again; `undefined`: there are none
 */
export function partsOfMessage(message: Record<string, unknown>): JsonObject | undefined {
  const parts: JsonObject = {};
  for (const name of MESSAGE_PARTS) {
    const part = present(message[name]);
    if (part !== undefined) parts[name] = part;
  }
  // A list of thoughts and texts goes back as the list that it was.
  const content = hasThoughts(message['content']) ? present(message['content']) : undefined;
  if (content !== undefined) parts['content'] = content;
  return Object.keys(parts).length > 0 ? parts : undefined;
}

/** Google signs a thought in the call that it led to. */
export function partsOfCall(call: Record<string, unknown>): JsonValue | undefined {
  return present(call['extra_content']);
}

function present(value: unknown): JsonValue | undefined {
  if (value === undefined || value === null) return undefined;
  // It came as JSON: what is no JSON in it are members that a schema has emptied.
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}

function hasThoughts(content: unknown): boolean {
  return (
    Array.isArray(content) &&
    content.some((chunk: unknown) => isObject(chunk) && chunk['type'] === 'thinking')
  );
}
