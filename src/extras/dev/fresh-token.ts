import { randomUUID } from 'node:crypto';
import type { ToolContext } from '../../define/define-tool.ts';
import type { RegisteredTool } from '../../define/registry.ts';

/** For checks that must be seen to fail: the same tool, which sends another token in each attempt. */
export function withFreshToken(tool: RegisteredTool): RegisteredTool {
  const definition = tool.definition as Extract<RegisteredTool['definition'], { effect: 'keyed' }>;
  const run = (input: unknown, context: ToolContext): Promise<unknown> => {
    const token = randomUUID();
    const headers = { ...context.headers, 'Idempotency-Key': token };
    return definition.run(input, { ...context, token, headers });
  };
  return { ...tool, definition: { ...definition, run } };
}
