import type { JsonObject } from '../../contract/json.ts';
import type { ModelRequest } from '../port.ts';

/**
 * What a request says about its tools, besides what they are: the same members in both APIs, which
 * name a tool each in its own way.
 */
export function aboutTools(
  { toolChoice = 'auto', parallelToolCalls }: ModelRequest,
  named: (tool: string) => JsonObject,
): JsonObject {
  return {
    ...(toolChoice === 'auto'
      ? {}
      : { tool_choice: typeof toolChoice === 'string' ? toolChoice : named(toolChoice.tool) }),
    ...(parallelToolCalls === undefined ? {} : { parallel_tool_calls: parallelToolCalls }),
  };
}
