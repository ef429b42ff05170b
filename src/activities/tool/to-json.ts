import { AgentOnceError } from '../../contract/errors.ts';
import { utf8Bytes } from '../../contract/json.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import { LIMITS } from '../../contract/limits.ts';

/**
 * What the ledger will hold of a tool's return value: nothing is `null`, a `Date` its ISO form.
 * What JSON would drop or change in silence is an error: functions, big integers, `NaN`, `Map`s.
 *
 * @throws {AgentOnceError} `tool.result_invalid`, `tool.result_too_large`
 */
export function toJson(value: unknown): JsonValue {
  if (value === undefined) return null;
  let text: string;
  try {
    text = JSON.stringify(value, refuseSilentChanges);
  } catch (error) {
    if (error instanceof AgentOnceError) throw error;
    // Circular, or a toJSON that throws. The engine's own message may quote the value.
    throw notJson('cannot be written as JSON');
  }
  if (text === undefined) throw notJson('is not JSON');
  const bytes = utf8Bytes(text);
  if (bytes > LIMITS.toolResultBytes) {
    throw new AgentOnceError(
      'tool.result_too_large',
      `The tool's result has ${bytes} bytes of JSON; at most ${LIMITS.toolResultBytes} are kept. Return less, or a reference to it.`,
    );
  }
  return JSON.parse(text) as JsonValue;
}

function refuseSilentChanges(name: string, value: unknown): unknown {
  switch (typeof value) {
    case 'number':
      if (!Number.isFinite(value)) throw notJson(`has a number at "${name}" that is not finite`);
      return value;
    case 'function':
    case 'symbol':
    case 'bigint':
      throw notJson(`has a ${typeof value} at "${name}"`);
    case 'object': {
      if (value === null || Array.isArray(value)) return value;
      const prototype: unknown = Object.getPrototypeOf(value);
      if (prototype === Object.prototype || prototype === null) return value;
      throw notJson(`has an instance of a class at "${name}"; return a plain object`);
    }
    default:
      return value;
  }
}

function notJson(what: string): AgentOnceError {
  return new AgentOnceError('tool.result_invalid', `The tool's result ${what.slice(0, 200)}.`);
}
