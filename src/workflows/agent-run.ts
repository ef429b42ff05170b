import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  createEventGroup,
  defineQuery,
  isCancellation,
  makeContinueAsNewFunc,
  patched,
  setHandler,
  TemporalFailure,
  workflowInfo,
  type EventGroupMarker,
} from '@temporalio/workflow';
import { defined } from '../contract/defined.ts';
import { CALL_MODEL, hasFastLane, STATE_QUERY, type TaskQueues } from '../contract/names.ts';
import {
  NO_USAGE,
  type AgentRunInput,
  type AgentRunResult,
  type RunState,
} from '../contract/run.ts';
import { IMPLIED_MODEL_POLICY, leftOut, type ResumedOptions } from '../contract/settings.ts';
import {
  modelStep,
  scopeFrom,
  type ModelStepInput,
  type ModelStepResult,
  type StepRun,
} from '../contract/step.ts';
import { Decisions } from './decisions.ts';
import { failRun, isLackedHere, spentBy } from './fail-run.ts';
import { Progress } from './progress.ts';
import { runCalls } from './run-calls.ts';
import { callFastModel, callModel, passOnCancellation, recordDecision } from './steps.ts';

/**
 * One run of an agent: `callModel`, the tool calls it asks for, `callModel` …, until an answer asks
 * for none. The loop knows no agent, no tool and no prompt: what a call needs comes back with the
 * model's answer, pinned in history and ledger, so new agents and tools break no running workflow.
 *
 * The conversation is in the ledger. History grows by a constant per turn.
 */
export async function agentRun(input: AgentRunInput): Promise<AgentRunResult> {
  const { shadow } = input.options ?? {};
  const { tenant, agent, key } = input;
  const run: StepRun = {
    tenant,
    agent,
    key,
    // The first execution's ID survives resets and continue-as-new, so their steps are found under
    // the same tokens.
    scope: input.scope ?? scopeFrom(workflowInfo().firstExecutionRunId, shadow),
    ...defined({ shadow }),
  };
  const progress = new Progress(
    input.carried ?? { turn: 0, usage: NO_USAGE, ...defined({ known: input.known }) },
    input,
  );
  const decisions = new Decisions(
    (answer, asked) =>
      recordDecision(input.queues.tools, {
        scope: run.scope,
        answer,
        ...defined({ asked: asked ? progress.seen.ledger : undefined }),
      }),
    (open) => progress.ask(open),
  );
  setHandler(defineQuery<RunState>(STATE_QUERY), () => progress.state());
  CancellationScope.current().cancelRequested.catch(() => {
    const { active, turn } = progress.state();
    if (active.length === 0 || !patched('pass-on-cancellation')) return;
    const at = { scope: run.scope, agent, step: modelStep(turn) };
    // Runs end without it, and well.
    const passOn = () => passOnCancellation(input.queues.tools, at);
    CancellationScope.nonCancellable(passOn).catch(() => {});
  });

  try {
    const output = await takeTurns({ input, run, progress, decisions });
    await answered();
    progress.end('completed');
    const { known: _known, ...report } = progress.report();
    return { output, ...report, ...started() };
  } catch (error) {
    const spent = spentBy(error);
    if (spent) progress.spend(spent);
    // A step that was still at work when its run was cancelled may end in any way, a timeout too.
    if (isCancellation(error) || CancellationScope.current().consideredCancelled) {
      progress.stopped();
      await answered();
      progress.end('cancelled');
      throw isCancellation(error) ? error : new CancelledFailure(CANCELLED);
    }
    // Anything else is continue-as-new, or a defect of this code: that fails the workflow task, not
    // the run, which goes on when corrected code is deployed.
    if (!(error instanceof TemporalFailure)) throw error;
    progress.stopped();
    await answered();
    const failure = failRun(error, progress.report());
    progress.end('failed', failure.type ?? '');
    throw failure;
  }
}

/** The start that Temporal shows of this execution; of a later one of the run it is not known here. */
function started(): Pick<AgentRunResult, 'startedAt'> {
  const { runId, firstExecutionRunId, startTime } = workflowInfo();
  return runId === firstExecutionRunId ? { startedAt: startTime.toISOString() } : {};
}

/** What the turns of one execution share. */
interface Execution {
  input: AgentRunInput;
  run: StepRun;
  progress: Progress;
  decisions: Decisions;
}

/** Whoever decides while the run ends hears what became of it. */
function answered(): Promise<void> | undefined {
  if (allHandlersFinished()) return undefined;
  return CancellationScope.nonCancellable(() => condition(allHandlersFinished));
}

async function takeTurns(execution: Execution): Promise<AgentRunResult['output']> {
  const { input, run, progress } = execution;
  const { model = input.options?.model, ...limits } = input.limits ?? {};
  let settings = input.settings;
  let turn = input.carried?.turn ?? 0;
  let previous = input.carried?.lastDigest ?? null;
  let resuming = false;

  for (;;) {
    // Steps that ended well in spite of it do not carry it on, and continue-as-new would lose it.
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure(CANCELLED);
    const maxTurns = limits.maxTurns ?? settings?.maxTurns;
    if (maxTurns !== undefined && turn >= maxTurns) throw turnLimit(run.agent, maxTurns);
    if (previous !== null && workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      const carried = { turn, lastDigest: previous, ...progress.report() };
      // The input is in the ledger by now: turn 1 recorded it.
      const { input: _recorded, ...rest } = input;
      // A long run does not keep an old version of the workers for ever: here it takes up the new one.
      const next = makeContinueAsNewFunc<typeof agentRun>({
        initialVersioningBehavior: 'AUTO_UPGRADE',
      });
      await next({ ...rest, ...defined({ settings }), carried });
    }

    turn += 1;
    progress.beginTurn(turn);
    const step: ModelStepInput = {
      run,
      turn,
      messages: turn === 1 ? [{ role: 'user', content: input.input ?? '' }] : [],
      previous,
      ...progress.seen.ledger,
      ...defined({
        settings: settings && {
          ...settings,
          modelPolicy: leftOut(IMPLIED_MODEL_POLICY, settings.modelPolicy),
        },
        model,
        modelOptions: modelOptionsIn(limits),
        resuming: resuming || undefined,
        resumed: (resuming && input.scope !== undefined && !input.carried) || undefined,
        recorded: progress.seen.hasTurn(turn) || undefined,
        retires: turn === 1 ? input.retires : undefined,
      }),
    };
    const summary = `turn ${turn}`;
    const group = createEventGroup(summary, { id: `turn-${turn}` });
    const row = progress.begin(modelStep(turn), CALL_MODEL, summary);
    const answer = await askModel(input.queues, summary, step, group);
    progress.modelAnswered(row, answer, settings ?? answer.settings);
    settings ??= answer.settings;
    previous = answer.digest;
    resuming = answer.knownBy === 'ledger';

    if (answer.output !== undefined) return answer.output;
    await runCalls(answer.calls, { ...execution, queues: input.queues, turn, group, settings });
  }
}

/** In the lane that the agent says, but for a worker that lacks the model's endpoint or its key. */
function askModel(
  queues: TaskQueues,
  summary: string,
  step: ModelStepInput,
  group: EventGroupMarker,
): Promise<ModelStepResult> {
  const inStandardLane = () => callModel(queues.model, summary, step, group);
  if (step.settings?.modelLane !== 'fast' || !hasFastLane(queues)) return inStandardLane();
  return callFastModel(summary, step).catch((error: unknown) => {
    if (isLackedHere(error)) return inStandardLane();
    throw error;
  });
}

/** What a resume has asked of the model besides. */
function modelOptionsIn(limits: ResumedOptions): ResumedOptions | undefined {
  const { reasoningEffort, maxOutputTokens } = limits;
  if (reasoningEffort === undefined && maxOutputTokens === undefined) return undefined;
  return defined({ reasoningEffort, maxOutputTokens });
}

const CANCELLED = 'The run was cancelled.';

function turnLimit(agent: string, maxTurns: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'run.turn_limit',
    nonRetryable: true,
    message:
      `The run used ${maxTurns === 1 ? 'its one turn' : `all its ${maxTurns} turns`} without a final answer. Its steps are kept in the ledger. ` +
      `To go on, resume it with more turns (agent-once resume … --max-turns ${maxTurns * 2}); for good, raise maxTurns of agent "${agent}".`,
  });
}
