import type { JsonObject } from '../../../contract/json.ts';
import type { JsonValue } from '../../../contract/json-value.ts';

/**
 * The chat completion that an event stream tells in pieces. Texts are put together, also those that
 * only the endpoint knows, such as its thoughts.
 *
 * @returns `undefined`: the events are not those of a chat completion
 */
export function mergeChunks(events: readonly JsonValue[]): JsonObject | undefined {
  const whole: JsonObject = {};
  const choice: JsonObject = { message: {} };
  let seen = false;
  for (const event of events) {
    if (!isObject(event)) continue;
    const { choices, ...rest } = event;
    // The last word counts, of the model's name or the usage.
    for (const [name, value] of Object.entries(rest)) if (value !== null) whole[name] = value;
    const [first] = Array.isArray(choices) ? choices : [];
    if (!isObject(first)) continue;
    seen = true;
    const { delta, ...end } = first;
    for (const [name, value] of Object.entries(end)) if (value !== null) choice[name] = value;
    if (isObject(delta)) choice['message'] = merge(choice['message'] as JsonObject, delta);
  }
  if (!seen) return 'error' in whole ? whole : undefined;
  return { ...whole, choices: [choice] };
}

/** Names, kinds and numbers come once, whole; some endpoints repeat them in every piece. */
const WHOLE = new Set(['role', 'id', 'type', 'index', 'name', 'format', 'signature']);

function merge(before: JsonObject, delta: JsonObject): JsonObject {
  const merged = { ...before };
  for (const [name, value] of Object.entries(delta)) {
    const had = merged[name];
    if (value === null && had !== undefined) continue;
    if (typeof had === 'string' && typeof value === 'string' && !WHOLE.has(name)) {
      merged[name] = had + value;
    } else if (Array.isArray(value)) {
      merged[name] = mergeLists(Array.isArray(had) ? had : [], value);
    } else if (isObject(had) && isObject(value)) {
      merged[name] = merge(had, value);
    } else if (had === undefined || had === null || value !== '') {
      merged[name] = value;
    }
  }
  return merged;
}

/** Pieces of one element carry its index; without one, each is an element of its own. */
function mergeLists(before: readonly JsonValue[], pieces: readonly JsonValue[]): JsonValue[] {
  const merged = [...before];
  for (const piece of pieces) {
    const at =
      isObject(piece) && typeof piece['index'] === 'number'
        ? merged.findIndex((each) => isObject(each) && each['index'] === piece['index'])
        : -1;
    const had = merged[at];
    if (isObject(piece) && isObject(had)) merged[at] = merge(had, piece);
    else merged.push(piece);
  }
  return merged;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
