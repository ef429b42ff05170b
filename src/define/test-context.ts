import type { z } from 'zod';
import { DEFAULT_TENANT, workflowIdOf } from '../contract/key.ts';
import { tokenOf, toolStep, type Effect } from '../contract/step.ts';
import type { ToolContext, TransactionalToolContext } from './define-tool.ts';

/**
 * A tool's context for a unit test, without Temporal and the ledger. What the test does not give has
 * a default: a new token each time, a signal that does not abort, a log that writes nothing. A
 * `transactional` tool needs a `tx`: a connected `pg.Client` is one.
 *
 * @throws {AgentOnceError} `name.invalid`, `key.invalid`
 */
export function createTestContext(
  tool: { effect: 'transactional' },
  given: Partial<ToolContext> & Pick<TransactionalToolContext, 'tx'>,
): TransactionalToolContext;
export function createTestContext(
  tool: { effect: Exclude<Effect, 'transactional'> },
  given?: Partial<ToolContext>,
): ToolContext;
export function createTestContext(
  _tool: { effect: Effect },
  given: Partial<ToolContext> = {},
): ToolContext {
  const { tenant = DEFAULT_TENANT, agent = 'test', key = 'test' } = given;
  const { runId = crypto.randomUUID(), workflowId = workflowIdOf({ tenant, agent, key }) } = given;
  const { token = tokenOf(runId, toolStep(1, 0)) } = given;
  const silent = (): void => {};
  return {
    token,
    headers: { 'Idempotency-Key': token, 'X-Agent-Run-Id': workflowId },
    workflowId,
    runId,
    tenant,
    agent,
    key,
    attempt: 1,
    signal: new AbortController().signal,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    ...given,
  };
}

/**
 * Runs a tool with its arguments parsed by its schema first, as the engine does.
 *
 * @throws {z.ZodError} the arguments do not fit; in a run the model is told, and the tool not called
 */
export async function runTool<Schema extends z.ZodType, Context>(
  tool: { input: Schema; run(input: z.output<Schema>, ctx: Context): Promise<unknown> },
  input: unknown,
  ctx: NoInfer<Context>,
): Promise<unknown> {
  return tool.run(await tool.input.parseAsync(input), ctx);
}
