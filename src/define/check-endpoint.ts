import { z } from 'zod';
import { DIALECT_NAMES } from '../contract/dialects.ts';
import { AgentOnceError } from '../contract/errors.ts';
import {
  STRUCTURED_OUTPUTS,
  type ModelEndpoint,
  type ModelEndpoints,
} from '../contract/model-endpoint.ts';
import { isEffort } from '../contract/settings.ts';
import { RESERVED } from './check-agent.ts';

const text = z.string().regex(/\S/);
/** A timer of Node holds no more. */
const LONGEST_MS = 2 ** 31 - 1;

const options = z.strictObject({
  reasoningEffort: z.string().refine(isEffort, "a word such as 'low'").optional(),
  parallelToolCalls: z.boolean().optional(),
  maxOutputTokens: z.int().min(1).optional(),
  temperature: z.number().min(0).max(2).optional(),
  extraBody: z
    .record(
      z.string().refine((name) => !RESERVED.test(name), 'a member that the engine sets'),
      z.json(),
    )
    .optional(),
});

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
      z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/),
      z.string().regex(/^[\x20-\x7e]*$/, 'printable ASCII'),
    )
    .optional(),
  stream: z.boolean().optional(),
  streamUsage: z.boolean().optional(),
  streamIdleMs: z.int().min(1).max(LONGEST_MS).optional(),
  background: z.boolean().optional(),
  options: options.optional(),
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
