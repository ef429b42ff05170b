import { z } from 'zod';
import { DIALECT_NAMES } from '../contract/dialects.ts';
import { AgentOnceError } from '../contract/errors.ts';
import { isHeaderName, isHeaderValue, isOurHeader } from '../contract/headers.ts';
import { LONGEST_TIMER_MS } from '../contract/limits.ts';
import {
  STRUCTURED_OUTPUTS,
  type ModelEndpoint,
  type ModelEndpoints,
} from '../contract/model-endpoint.ts';
import { MODEL_OPTIONS } from './check-options.ts';

const text = z.string().regex(/\S/);
const endpoint = z.strictObject({
  model: text.optional(),
  baseUrl: z.string().optional(),
  apiKey: z.union([z.string(), z.custom<() => Promise<string>>(isFunction)]).optional(),
  api: z.enum(['auto', 'chat', 'responses']).optional(),
  dialect: z.enum(DIALECT_NAMES).optional(),
  outputLimitField: z.enum(['max_tokens', 'max_completion_tokens']).optional(),
  structured: z.enum(STRUCTURED_OUTPUTS).optional(),
  structuredWithTools: z.boolean().optional(),
  headers: z
    .record(
      z.string().refine((name) => isHeaderName(name) && !isOurHeader(name), 'no header of yours'),
      z.string().refine(isHeaderValue, 'printable ASCII'),
    )
    .optional(),
  stream: z.boolean().optional(),
  streamUsage: z.boolean().optional(),
  streamIdleMs: z.int().min(1).max(LONGEST_TIMER_MS).optional(),
  background: z.boolean().optional(),
  options: z.strictObject(MODEL_OPTIONS).optional(),
}) satisfies z.ZodType<unknown, ModelEndpoint>;

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

/**
 * Checks the app's endpoints: nobody else does, where TypeScript runs without its compiler.
 *
 * @throws {AgentOnceError} `config.invalid`: which endpoint and member; never a value, which may be
 *   a secret
 */
export function checkEndpoints(endpoints: ModelEndpoints): void {
  for (const [name, definition] of Object.entries(endpoints)) {
    if (!/^[a-z0-9][\w.:/-]{0,99}$/i.test(name)) {
      throw wrong('the name of an endpoint is of letters, digits and . _ : / -, at most a hundred');
    }
    const [issue] = endpoint.safeParse(definition).error?.issues ?? [];
    if (issue) {
      const where = issue.path.length === 0 ? '' : `, ${issue.path.join('.')}`;
      throw wrong(`endpoint '${name}'${where}: ${issue.message}`);
    }
  }
}

function wrong(problem: string): AgentOnceError {
  return new AgentOnceError('config.invalid', `src/app/models.ts: ${problem}. See docs/models.md.`);
}
