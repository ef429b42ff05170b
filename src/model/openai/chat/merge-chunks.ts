import { isObject, type JsonObject, type JsonValue } from '../../../contract/json-value.ts';
import type { Merged } from '../event-stream.ts';

/**
 * The chat completion that an event stream tells in pieces. Texts are put together, also those that
 * only the endpoint knows, such as its thoughts.
 *
 * @param done whether the stream said that it is complete
 * @returns `undefined`: it is no stream of a chat completion
 */
export function mergeChunks(events: readonly JsonValue[], done: boolean): Merged | undefined {
  const whole: JsonObject = {};
  const choice: JsonObject = { message: {} };
  let seen = false;
  for (const event of events) {
    if (!isObject(event)) continue;
    const { choices, ...rest } = event;
    // Later events correct earlier ones: the usage comes last.
    set(whole, rest);
    const first = Array.isArray(choices) ? choices.find(isFirst) : undefined;
    if (!first) continue;
    seen = true;
    const { delta, ...end } = first;
    set(choice, end);
    if (isObject(delta)) choice['message'] = merge(choice['message'] as JsonObject, delta);
  }
  const value = { ...whole, choices: [choice] };
  if (whole['error'] !== undefined) return { value };
  if (!seen) return undefined;
  return !done && choice['finish_reason'] === undefined ? 'cut' : { value };
}

/** What a piece adds to the answer's text. Mistral sends lists, of thoughts and of texts. */
export function textInChunk(event: JsonValue): string {
  const choices = isObject(event) ? event['choices'] : undefined;
  const delta = Array.isArray(choices) ? choices.find(isFirst)?.['delta'] : undefined;
  const content = isObject(delta) ? delta['content'] : undefined;
  return asList(content)
    .map((part) => (isObject(part) && part['type'] === 'text' ? part['text'] : part))
    .filter((part) => typeof part === 'string')
    .join('');
}

/** Nothing takes the place of something. */
function set(target: JsonObject, members: JsonObject): void {
  for (const [name, value] of Object.entries(members)) {
    if (value !== null && value !== '') target[name] = value;
  }
}

/** Only one choice was asked for; other choices are left out. */
function isFirst(choice: JsonValue): choice is JsonObject {
  return isObject(choice) && (choice['index'] === undefined || choice['index'] === 0);
}

/** These come once, whole; some endpoints repeat them in every piece. */
const WHOLE = new Set(['role', 'id', 'type', 'index', 'name', 'format', 'signature']);

function merge(before: JsonObject, delta: JsonObject): JsonObject {
  const merged = { ...before };
  for (const [name, value] of Object.entries(delta)) {
    // As a member of a JSON text it is a name like any other; as an assignment it is not.
    if (name === '__proto__') continue;
    const had = merged[name];
    if (value === null && had !== undefined) continue;
    if (typeof had === 'string' && typeof value === 'string' && !WHOLE.has(name)) {
      merged[name] = had + value;
    } else if (Array.isArray(value) || Array.isArray(had)) {
      // Mistral sends thoughts as a list, and then the text as a text.
      merged[name] = mergeLists(asList(had), asList(value));
    } else if (isObject(had) && isObject(value)) {
      merged[name] = merge(had, value);
    } else if (had === undefined || had === null || value !== '') {
      merged[name] = value;
    }
  }
  return merged;
}

function asList(value: JsonValue | undefined): JsonValue[] {
  if (Array.isArray(value)) return value;
  return typeof value === 'string' && value !== '' ? [{ type: 'text', text: value }] : [];
}

/** Pieces of one element carry its index; without one, each is an element of its own. */
function mergeLists(before: readonly JsonValue[], pieces: readonly JsonValue[]): JsonValue[] {
  const merged = [...before];
  for (const piece of pieces) {
    const at = merged.findLastIndex((each) => isSameElement(each, piece));
    const had = merged[at];
    if (isObject(piece) && isObject(had)) merged[at] = merge(had, piece);
    else merged.push(piece);
  }
  return merged;
}

/** Some endpoints give each call the index 0, and tell them apart by their IDs. */
function isSameElement(had: JsonValue, piece: JsonValue): boolean {
  if (!isObject(had) || !isObject(piece) || typeof piece['index'] !== 'number') return false;
  const { id } = piece;
  const sameId = id === undefined || id === null || id === '' || id === had['id'];
  return had['index'] === piece['index'] && sameId;
}
