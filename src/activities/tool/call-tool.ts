import { Context } from '@temporalio/activity';
import type { RegisteredTool } from '../../define/registry.ts';
import type { Deadline } from '../../contract/decision.ts';
import { IMPLIED_TOOL_POLICY } from '../../contract/settings.ts';
import { toolStep, type ToolStepInput, type ToolStepResult } from '../../contract/step.ts';
import type { AskedQuestion, Completion } from '../../ledger/port.ts';
import type { ToolContext } from '../../define/define-tool.ts';
import type { ActivityDeps } from '../deps.ts';
import { OutcomeUnknown } from '../step/claim-step.ts';
import { activityFailure } from '../step/failures.ts';
import type { StepOutcome } from '../step/record.ts';
import { runStep } from '../step/run-step.ts';
import { share, shareName } from '../step/share.ts';
import { tokenFor, type Granted, type StepWork } from '../step/work.ts';
import { approve } from './approval.ts';
import { askPerson } from './ask-person.ts';
import { isPretended, pretendTool } from './shadow.ts';
import { toJson } from './to-json.ts';
import { argumentsOf, doneOf, planOf } from './tool-step.ts';

/** A `tool.<name>` activity: one tool call, whose arguments are in the ledger. */
export async function callTool(
  deps: ActivityDeps,
  tool: RegisteredTool,
  input: ToolStepInput,
): Promise<ToolStepResult> {
  if (input.run.shadow && isPretended(tool, input)) return pretendTool(deps, tool, input);
  const { approval, outcome } = input.questions ?? {};
  const approved = approval ? await approve(deps, tool, input, approval) : { call: input };
  if ('waiting' in approved) return approved;
  const { call, work = sharedWork(deps, tool, call) } = approved;
  try {
    const outcome = await runStep(deps, planOf(tool, call), work);
    // What a person changed is read from the ledger, as everybody else reads it.
    if (call.digest === input.digest) keepResult(deps, input, outcome);
    return doneOf(outcome, input);
  } catch (error) {
    if (!(error instanceof OutcomeUnknown)) throw error;
    const terms = outcome ?? tool.questions.outcome ?? WITHOUT_TERMS;
    const { question, shown } = await askPerson(deps.ledger, call, terms, error.attempt);
    const { fence } = error.attempt;
    if (question.decision === null) return { waiting: shown, fence };
    throw question.decision === 'fail' ? outcomeUnknown(question, input, fence) : decidedJustNow();
  }
}

/** For the next turn's model step, which asks for the result alone. */
function keepResult(
  { transcripts }: ActivityDeps,
  { run: { scope }, turn, index, digest }: ToolStepInput,
  { result, nonce }: StepOutcome,
): void {
  if (nonce === undefined || !transcripts.has(scope)) return;
  const step = toolStep(turn, index);
  transcripts.keep(scope, [{ step, state: 'completed', digest, request: null, result, nonce }]);
}

/** The tool's own work, shared with other runs where its `dedup` is a window. */
function sharedWork(deps: ActivityDeps, tool: RegisteredTool, input: ToolStepInput): StepWork {
  const work = workOf(tool, input);
  const { dedup } = tool.definition;
  if (typeof dedup !== 'object') return work;
  return share(deps.ledger, work, () => ({
    name: shareName('tool', input.run, input.digest),
    windowMs: dedup.windowSeconds * 1_000,
    startToCloseMs: input.policy.startToCloseMs ?? IMPLIED_TOOL_POLICY.startToCloseMs,
  }));
}

/** What the effect class makes of the tool's own code. */
function workOf(tool: RegisteredTool, input: ToolStepInput): StepWork {
  const { definition } = tool;
  return async (granted) => {
    const { attempts, began } = granted;
    const complete = (value: unknown): Completion => ({
      result: toJson(value),
      ...(began === undefined ? {} : { sharedWith: began }),
    });
    const args = await argumentsOf(tool, granted.request);
    const context = contextOf(input, granted);
    if (definition.effect === 'transactional') {
      return granted.inTransaction(async (tx) =>
        complete(await definition.run(args, { ...context, tx })),
      );
    }
    if (definition.effect === 'reconcile' && (attempts > 1 || began !== undefined)) {
      const found = await definition.find(args, context);
      if (found !== undefined) return { ...complete(found), knownBy: 'find' };
    }
    if (definition.effect === 'reconcile' || definition.effect === 'at-most-once') {
      await granted.beforeEffect();
    }
    return complete(await definition.run(args, context));
  };
}

function outcomeUnknown(
  { by, comment }: AskedQuestion,
  { tool, turn, index }: ToolStepInput,
  fence: string,
) {
  const why = comment === null ? '' : ` (${comment})`;
  const message = `Nobody knows whether ${tool} (${toolStep(turn, index)}) had its effect; the run was ended by ${by}${why}. Nothing is repeated. Find out, then resume the run (agent-once resume): it asks again.`;
  return activityFailure({ code: 'step.outcome_unknown', message, retryable: false }, { fence });
}

/** Between the claim and the question somebody answered: the claim has to be made again. */
function decidedJustNow() {
  const message = 'The step was decided a moment ago.';
  return activityFailure({ code: 'step.busy', message, retryable: true }, undefined, 100);
}

/** A call that was planned before its tool became `at-most-once`. */
const WITHOUT_TERMS: Deadline = { ms: 24 * 60 * 60_000, otherwise: 'fail' };

function contextOf(input: ToolStepInput, granted: Granted): ToolContext {
  const { info, log } = Context.current();
  const { workflowId = '', runId = '' } = info.workflowExecution ?? {};
  const token = tokenFor(granted);
  const { tenant, agent, key } = input.run;
  const { attempt, signal } = granted;
  const headers = { 'Idempotency-Key': token, 'X-Agent-Run-Id': workflowId };
  return { token, headers, workflowId, runId, tenant, agent, key, attempt, signal, log };
}
