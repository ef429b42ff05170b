import type { z } from 'zod';
import type { JsonValue } from '../contract/json.ts';
import type { StepPolicyOverrides } from '../contract/settings.ts';
import type { Effect, Lane } from '../contract/step.ts';
import type { Transaction } from '../contract/transaction.ts';

/** What a tool's code gets besides its arguments. */
export interface ToolContext {
  /**
   * The step's idempotency token, the same in every attempt: the key to send to the other side.
   * 40 to 120 characters of `[A-Za-z0-9:.-]`.
   */
  readonly token: string;
  /** `Idempotency-Key` with the token, `X-Agent-Run-Id` with the workflow ID, and what extras add. */
  readonly headers: Readonly<Record<string, string>>;
  /** The run's workflow ID: correlates logs, traces, tool and model requests. */
  readonly workflowId: string;
  /** Temporal's run ID of this execution. */
  readonly runId: string;
  readonly tenant: string;
  readonly agent: string;
  /** The client's idempotency key, as it stands in the workflow ID. */
  readonly key: string;
  /** Counts the executed attempts of this execution, from 1. */
  readonly attempt: number;
  /** Aborts when the run is cancelled, the claim is lost, or the attempt's time is over. */
  readonly signal: AbortSignal;
  readonly log: ToolLog;
}

/** Context of a `transactional` tool. */
export interface TransactionalToolContext extends ToolContext {
  /** A transaction on the ledger's own database: what is written in it commits with the record. */
  readonly tx: Transaction;
}

export type ToolLog = Record<
  'debug' | 'info' | 'warn' | 'error',
  (message: string, fields?: Record<string, unknown>) => void
>;

type ApprovalRule<Schema extends z.ZodType> = 'always' | ((input: z.output<Schema>) => boolean);

interface ToolBase<Schema extends z.ZodType> extends StepPolicyOverrides {
  /** `[a-z][a-z0-9_]{0,31}`: what the model calls it, and `tool.<name>` in Temporal. */
  name: string;
  /** Tells the model what it does and when to use it. */
  description: string;
  /** The arguments; the model is shown its JSON Schema, and corrected by its messages. */
  input: Schema;
  /** One line for people, without secrets: shown in Temporal UI. */
  summary?: (input: z.output<Schema>) => string;
  /**
   * Whether a person must approve the call before it runs. A denial goes back to the model. Asked
   * once, with the model's answer; the approval is bound to the arguments. With `editable`, whoever
   * approves may give the call other arguments: checked by `input`, and the model is told.
   */
  approval?: ApprovalRule<Schema> | { when?: ApprovalRule<Schema>; editable?: boolean };
  /** How long the run waits for the approval, and what then; default: 24 h, then it fails. */
  approvalDeadline?: { seconds: number; otherwise: 'fail' | 'deny' };
  /** How long after it was given an approval can be used, in seconds; default 1 h. */
  approvalValidSeconds?: number;
  /**
   * What becomes of identical calls: the same tool with the same arguments.
   * - `'turn'` (default): those of one turn are one call;
   * - `'run'`: a call that was made before in the run gets the earlier result;
   * - `'never'`: each runs;
   * - `{ windowSeconds }`: for an API that takes no idempotency key. So long after a call began,
   *   every run of the agent and tenant gets its result. The window begins with the first call and
   *   does not slide; a call under way is waited for, one that failed is made by whoever waits,
   *   under the token of the first.
   */
  dedup?: 'turn' | 'run' | 'never' | { windowSeconds: number };
  /**
   * `'fast'`: calls are local activities, without a round trip through Temporal each. For tools that
   * take milliseconds: a call keeps one of its worker's places for workflow tasks. They can be
   * neither paused nor rate-limited there, and a cancellation reaches them later. The promises are
   * the same. Default: `'standard'`.
   */
  lane?: Lane;
  /**
   * What a shadow run pretends that the call returned; default: that it was a shadow run. Must have
   * no effect itself.
   */
  shadow?: (input: z.output<Schema>) => unknown;
}

interface Tool<
  Schema extends z.ZodType,
  Class extends Effect,
  Context = ToolContext,
> extends ToolBase<Schema> {
  effect: Class;
  run(input: z.output<Schema>, ctx: Context): Promise<unknown>;
}

/** No effect on the world: any attempt may run again. */
type ReadTool<Schema extends z.ZodType> = Tool<Schema, 'read'>;

/** The other side deduplicates: send `ctx.token` as the idempotency key of the request. */
type KeyedTool<Schema extends z.ZodType> = Tool<Schema, 'keyed'>;

/** Effect and record commit together: write through `ctx.tx`, and nowhere else. */
type TransactionalTool<Schema extends z.ZodType> = Tool<
  Schema,
  'transactional',
  TransactionalToolContext
>;

/** It can be looked up whether the effect happened. */
interface ReconcileTool<Schema extends z.ZodType> extends Tool<Schema, 'reconcile'> {
  /** Looks for the effect of earlier attempts, by `ctx.token` or its like; `undefined`: none. */
  find(input: z.output<Schema>, ctx: ToolContext): Promise<JsonValue | undefined>;
}

/**
 * Never repeated by itself: when an attempt ends without a result, a person decides what happened,
 * unless the tool threw `NotApplied`.
 */
interface AtMostOnceTool<Schema extends z.ZodType> extends Tool<Schema, 'at-most-once'> {
  /** How long the run waits for that person, and what then; default: 24 h, then it fails. */
  outcomeDeadline?: { seconds: number; otherwise: 'fail' | 'happened' | 'did-not-happen' };
}

/**
 * A tool. It must name its effect: `'read'`, `'keyed'`, `'transactional'`, `'reconcile'` or
 * `'at-most-once'`. A tool that throws is tried again as its retry policy says, then the run fails
 * and can be resumed; what the model should hear (no such order) is a result, not an error.
 */
export type ToolDefinition<
  Schema extends z.ZodType = z.ZodType,
  E extends Effect = Effect,
> = Tools<Schema>[E];

interface Tools<Schema extends z.ZodType> {
  read: ReadTool<Schema>;
  keyed: KeyedTool<Schema>;
  transactional: TransactionalTool<Schema>;
  reconcile: ReconcileTool<Schema>;
  'at-most-once': AtMostOnceTool<Schema>;
}

/** Types a tool's functions from its `input` schema and its effect. Checked in full by the registry. */
export function defineTool<Schema extends z.ZodType, E extends Effect>(
  // TypeScript infers both parameters from the first part alone.
  tool: { effect: E; input: Schema } & ToolDefinition<Schema, E>,
): ToolDefinition<Schema, E> {
  return tool;
}
