import { isObject, type JsonObject } from '../../contract/json-value.ts';
import type { ModelRequest, OpaquePart } from '../port.ts';
import { parseOrNothing } from './fields.ts';

/** Gives back a part that this endpoint wants to see again; `undefined`: it is none of its own. */
export type GiveBack = (part: OpaquePart | undefined) => OpaquePart | undefined;

/**
 * A model can ask for a tool by a name that no endpoint takes back, and its mistake must come back
 * for it to be corrected. Names of real tools pass unchanged.
 */
export function sendableName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64) || '_';
}

/** Endpoints that feed arguments to a chat template refuse what is not a JSON object. */
export function sendableArguments(text: string): string {
  if (isObject(parseOrNothing(text))) return text;
  return text.trim() === '' ? '{}' : JSON.stringify({ unreadable: text });
}

/**
 * What a request says of its tools: members of the same names in both APIs, which tell a tool each in
 * its own way. Nothing without tools: some endpoints refuse an empty list, and what is said about it.
 */
export function aboutTools(
  { tools, toolChoice = 'auto', parallelToolCalls }: ModelRequest,
  asTool: (members: JsonObject) => JsonObject,
  { members = {}, choosesByName = true }: { members?: JsonObject; choosesByName?: boolean } = {},
): JsonObject {
  if (tools.length === 0) return {};
  const named = typeof toolChoice === 'string' ? undefined : toolChoice.tool;
  // Where a name would be ignored, no other tool is there.
  const alone = choosesByName ? undefined : named;
  const offered = tools.filter(({ name }) => alone === undefined || name === alone);
  const choice = named !== undefined && choosesByName ? asTool({ name: named }) : 'required';
  return {
    tools: offered.map(({ name, description, parameters }) =>
      asTool({ name, description, parameters, ...members }),
    ),
    ...(toolChoice === 'auto' ? {} : { tool_choice: named === undefined ? toolChoice : choice }),
    ...(parallelToolCalls === undefined ? {} : { parallel_tool_calls: parallelToolCalls }),
  };
}
