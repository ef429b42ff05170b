import type { RegisteredTool } from '../agents/registry.ts';
import { Context } from '@temporalio/activity';
import { AgentOnceError } from '../contract/errors.ts';
import { utf8Bytes } from '../contract/json.ts';
import type { JsonValue } from '../contract/json-value.ts';
import { LIMITS } from '../contract/limits.ts';
import { tokenOf, toolStep, type ToolStepInput, type ToolStepResult } from '../contract/step.ts';
import type { Transaction } from '../contract/transaction.ts';
import type { Completion } from '../ledger/port.ts';
import type { ToolContext } from '../tools/define-tool.ts';
import type { ActivityDeps } from './deps.ts';
import { runStep, type Granted } from './run-step.ts';
import { toJson } from './to-json.ts';
import { workflowIdHere } from './workflow-id-here.ts';

/** A `tool.<name>` activity: one tool call, whose arguments are in the ledger. */
export async function callTool(
  deps: ActivityDeps,
  tool: RegisteredTool,
  input: ToolStepInput,
): Promise<ToolStepResult> {
  const { run, turn, index, digest, policy } = input;
  const step = toolStep(turn, index);
  const token = deps.withoutTokens ? crypto.randomUUID() : tokenOf(run.scope, step);
  const { definition } = tool;

  const outcome = await runStep(
    deps,
    {
      claim: {
        scope: run.scope,
        step,
        turn,
        kind: 'tool',
        name: tool.name,
        effect: tool.effect,
        digest,
      },
      policy,
      faultName: tool.name,
      otherwise: 'tool.failed',
    },
    definition.effect === 'transactional'
      ? {
          kind: 'transaction',
          run: async (granted: Granted, tx: Transaction) =>
            complete(
              await definition.run(await argumentsOf(tool, granted), {
                ...contextOf(token, input, granted),
                tx,
              }),
            ),
        }
      : {
          kind: 'plain',
          run: async (granted: Granted) =>
            complete(
              await definition.run(
                await argumentsOf(tool, granted),
                contextOf(token, input, granted),
              ),
            ),
        },
  );

  const text = JSON.stringify(outcome.result);
  const preview = previewOf(text, input.historyResults);
  return {
    ...(preview === undefined ? {} : { preview }),
    bytes: outcome.resultBytes ?? utf8Bytes(text),
    knownBy: outcome.knownBy,
    attempts: outcome.attempts,
  };
}

function contextOf(token: string, input: ToolStepInput, granted: Granted): ToolContext {
  const { info, log } = Context.current();
  const workflowId = workflowIdHere();
  return {
    token,
    headers: { 'Idempotency-Key': token, 'X-Agent-Run-Id': workflowId },
    workflowId,
    runId: info.workflowExecution?.runId ?? '',
    tenant: input.run.tenant,
    agent: input.run.agent,
    key: input.run.key,
    attempt: granted.attempt,
    signal: granted.signal,
    log,
  };
}

/** Parses the recorded arguments again: the schema's defaults and transformations apply. */
async function argumentsOf(tool: RegisteredTool, granted: Granted): Promise<unknown> {
  if (granted.request === null) {
    throw new AgentOnceError(
      'step.diverged',
      `The ledger does not have the arguments of this call, which were recorded with the model's answer. Was it restored from a backup?`,
    );
  }
  const parsed = await tool.definition.input.safeParseAsync(granted.request);
  if (parsed.success) return parsed.data;
  throw new AgentOnceError(
    'step.diverged',
    `The recorded arguments no longer fit the schema of ${tool.name}: it was changed while the run was under way. Deploy a schema that accepts both.`,
  );
}

function complete(value: unknown): Completion {
  const result: JsonValue = toJson(value);
  return { result };
}

const FULL_BYTES = 64 * 1024;

function previewOf(text: string, show: ToolStepInput['historyResults']): string | undefined {
  if (show === 'none') return undefined;
  const max = show === 'full' ? FULL_BYTES : LIMITS.previewBytes;
  return text.length <= max ? text : `${text.slice(0, max).toWellFormed()} …`;
}
