/**
 * JSON as types alone, for the files that workflows import: `json.ts` beside this needs Node, which
 * Temporal's sandbox does not have.
 */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [name: string]: JsonValue;
}
