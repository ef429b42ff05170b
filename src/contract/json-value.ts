/**
 * JSON as types alone, for the files that workflows import: `json.ts` beside this needs Node, which
 * Temporal's sandbox does not have.
 */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [name: string]: JsonValue;
}

/** Whether a value has members by name: no list, and not `null`. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
