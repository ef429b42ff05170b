import { inspect, isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { JsonValue } from '../../contract/json-value.ts';
import type { ServiceDeps } from '../service/deps.ts';
import { showJson } from './html.ts';

/** The arguments of a call that somebody decides about. */
export interface GivenArguments {
  /** As they are recorded: as the model gave them, or a person who changed them. */
  recorded: JsonValue;
  parsed: ParsedArguments;
}

/** What a tool's schema makes of arguments when the call runs. */
export type ParsedArguments =
  | { outcome: 'same' }
  /** With defaults or transformations applied: the text that shows them. */
  | { outcome: 'other'; text: string }
  | { outcome: 'refused'; why: string }
  /** This service does not know the tool. */
  | { outcome: 'unknown' };

/** Parses as the worker will: both read the same agents, unless one of them is of another version. */
export async function parseArguments(
  agentOf: ServiceDeps['agentOf'],
  call: { agent: string; tool: string; recorded: JsonValue },
): Promise<GivenArguments> {
  const { recorded } = call;
  const tool = agentOf(call.agent)?.tools.get(call.tool);
  if (!tool) return { recorded, parsed: { outcome: 'unknown' } };
  const read = await tool.definition.input.safeParseAsync(recorded).catch(() => undefined);
  if (!read?.success) {
    const why = read ? z.prettifyError(read.error) : 'The schema itself failed.';
    return { recorded, parsed: { outcome: 'refused', why } };
  }
  if (isDeepStrictEqual(read.data, recorded)) return { recorded, parsed: { outcome: 'same' } };
  return { recorded, parsed: { outcome: 'other', text: textOf(read.data) } };
}

/** As JSON where that says all of it; a date or a set, say, as Node.js shows it. */
function textOf(value: unknown): string {
  try {
    const text = JSON.stringify(value);
    if (isDeepStrictEqual(JSON.parse(text), value)) return showJson(value);
  } catch {
    // Such as a big integer.
  }
  return showJson(inspect(value, { depth: 10, maxArrayLength: null, maxStringLength: null }));
}
