import type { RegisteredTool } from '../define/registry.ts';
import { Context } from '@temporalio/activity';
import type { Deadline } from '../contract/decision.ts';
import { tokenOf, toolStep, type ToolStepInput, type ToolStepResult } from '../contract/step.ts';
import { AgentOnceError } from '../contract/errors.ts';
import type { AskedQuestion, Completion, StepRecord } from '../ledger/port.ts';
import type { ToolContext } from '../define/define-tool.ts';
import { askApproval, askOutcome } from './ask-person.ts';
import type { ActivityDeps } from './deps.ts';
import { failStep, judge } from './failures.ts';
import { OutcomeUnknown } from './claim-step.ts';
import { LOST_FOR_GOOD, refusalOf, whyNotAsked, type RestoredAnswer } from './restored.ts';
import { runStep, type Granted, type StepWork } from './run-step.ts';
import { isPretended, pretendTool } from './shadow.ts';
import { assertMayRun } from './shadow-only.ts';
import { toolShare } from './share-terms.ts';
import { shareWork } from './share-work.ts';
import { toJson } from './to-json.ts';
import { argumentsOf, doneOf, planOf } from './tool-step.ts';
import { workflowIdHere } from './workflow-id-here.ts';

/** A `tool.<name>` activity: one tool call, whose arguments are in the ledger. */
export async function callTool(
  deps: ActivityDeps,
  tool: RegisteredTool,
  input: ToolStepInput,
): Promise<ToolStepResult> {
  assertMayRun(deps, input.run);
  if (input.run.shadow && isPretended(tool, input)) return pretendTool(deps, tool, input);
  const { approval, outcome } = input.questions ?? {};
  let work = workOf(deps, tool, input);
  const before = approval && (await stepToApprove(deps, input));
  // Nobody is asked about a call that the ledger has lost: its claim will say so.
  if (approval && !before) work = UNRECORDED;
  if (approval && before && before.state !== 'completed' && before.state !== 'unknown') {
    const { question, shown } = await askApproval(deps.ledger, input, approval);
    if (question.decision === null) return { waiting: shown };
    if (question.decision === 'fail') throw notApproved(question);
    if (question.decision === 'deny') work = denial(question, tool);
  }
  try {
    return doneOf(await runStep(deps, planOf(tool, input), work), input);
  } catch (error) {
    if (!(error instanceof OutcomeUnknown)) throw error;
    const terms = outcome ?? tool.questions.outcome ?? WITHOUT_TERMS;
    const { question, shown } = await askOutcome(deps.ledger, input, terms, error.attempt);
    const { fence } = error.attempt;
    if (question.decision === null) return { waiting: shown, fence };
    throw question.decision === 'fail' ? outcomeUnknown(question, input, fence) : decidedJustNow();
  }
}

/** What the effect class makes of the tool's own code. */
function workOf(deps: ActivityDeps, tool: RegisteredTool, input: ToolStepInput): StepWork {
  const { definition } = tool;
  const own = tokenOf(input.run.scope, toolStep(input.turn, input.index));
  const share = toolShare(tool, input);
  // Of a call that this one took over from another run: it goes on as what that one began.
  let began: string | undefined;
  const context = (granted: Granted) => contextOf(began ?? own, input, granted);
  const complete = (value: unknown): Completion => ({
    result: toJson(value),
    ...(began === undefined ? {} : { sharedWith: began }),
  });
  const before = share && {
    async before(granted: Granted): Promise<Completion | undefined> {
      const shared = await shareWork(deps.ledger, granted, share);
      if (shared.theirs === undefined && shared.tookOver) began = shared.token;
      return shared.theirs;
    },
  };

  if (definition.effect === 'transactional') {
    return {
      kind: 'transaction',
      ...before,
      run: async (granted, tx) => {
        const args = await argumentsOf(tool, granted.request);
        return complete(await definition.run(args, { ...context(granted), tx }));
      },
    };
  }
  return {
    kind: 'plain',
    ...before,
    run: async (granted) => {
      const args = await argumentsOf(tool, granted.request);
      if (definition.effect === 'reconcile' && (granted.attempts > 1 || began !== undefined)) {
        const found = await definition.find(args, context(granted));
        if (found !== undefined) return { ...complete(found), knownBy: 'find' };
      }
      if (definition.effect === 'reconcile' || definition.effect === 'at-most-once') {
        await granted.beforeEffect();
      }
      return complete(await definition.run(args, context(granted)));
    },
  };
}

/** Does nothing: for a step without a record, should its claim be granted after all. */
const UNRECORDED: StepWork = {
  kind: 'plain',
  run: () => Promise.reject(new AgentOnceError('ledger.restored', LOST_FOR_GOOD.message)),
};

/** A step that is recorded, or of which only the outcome is in question, needs no approval. */
async function stepToApprove({ ledger }: ActivityDeps, input: ToolStepInput) {
  const { run, turn, index } = input;
  let refusal: RestoredAnswer | undefined;
  let step: StepRecord | undefined;
  try {
    refusal = await whyNotAsked(ledger, input.ledger);
    step = await ledger.step(run.scope, toolStep(turn, index));
  } catch (error) {
    throw failStep(judge(error, 'step.failed'));
  }
  if (refusal) throw failStep(refusalOf(refusal, input.ledger));
  return step;
}

/**
 * The model is told, and goes on from there. Where an approval has expired between two attempts,
 * the first of them may have had its effect.
 */
function denial({ by, comment }: AskedQuestion, { effect }: RegisteredTool): StepWork {
  const why = comment === null || comment === '' ? '' : ` They said: ${comment}`;
  return {
    kind: 'plain',
    run: async ({ attempts }) => {
      const tried = attempts > 1 && (effect === 'keyed' || effect === 'reconcile');
      const error = tried
        ? `${by} did not approve that this call is tried again. An earlier attempt may have been made. Do not ask for it again.${why}`
        : `${by} did not approve this call, so it was not made. Do not ask for it again.${why}`;
      return { result: { error }, knownBy: 'person' };
    },
  };
}

function notApproved({ by, comment }: AskedQuestion) {
  const why = comment === null ? '' : ` (${comment})`;
  return failStep({
    code: 'step.not_approved',
    message: `The call was not approved: decided by ${by}${why}. It was not made. To ask again, resume the run (agent-once resume).`,
    retryable: false,
  });
}

function outcomeUnknown(
  { by, comment }: AskedQuestion,
  { tool, turn, index }: ToolStepInput,
  fence: string,
) {
  const why = comment === null ? '' : ` (${comment})`;
  const message = `Nobody knows whether ${tool} (${toolStep(turn, index)}) had its effect; the run was ended by ${by}${why}. Nothing is repeated. Find out, then resume the run (agent-once resume): it asks again.`;
  const verdict = { code: 'step.outcome_unknown', message, retryable: false } as const;
  return failStep(verdict, undefined, undefined, fence);
}

/** Between the claim and the question somebody answered: the claim has to be made again. */
function decidedJustNow() {
  return failStep(
    { code: 'step.busy', message: 'The step was decided a moment ago.', retryable: true },
    100,
  );
}

/** A call that was planned before its tool became `at-most-once`. */
const WITHOUT_TERMS: Deadline = { ms: 24 * 60 * 60_000, otherwise: 'fail' };

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
