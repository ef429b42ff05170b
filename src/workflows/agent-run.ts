import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  createEventGroup,
  defineQuery,
  isCancellation,
  setHandler,
  TemporalFailure,
  workflowInfo,
  type EventGroupMarker,
} from '@temporalio/workflow';
import type { Decision } from '../contract/decision.ts';
import { CALL_MODEL, hasFastLane, STATE_QUERY, toolActivity } from '../contract/names.ts';
import {
  NO_USAGE,
  type AgentRunInput,
  type AgentRunResult,
  type RunState,
} from '../contract/run.ts';
import type { AgentSettings } from '../contract/settings.ts';
import {
  modelStep,
  scopeFrom,
  toolStep,
  type ModelStepInput,
  type PlannedCall,
  type StepRun,
  type ToolStepInput,
} from '../contract/step.ts';
import { Decisions } from './decisions.ts';
import { causeOf, failRun, fenceOf, spentBy } from './fail-run.ts';
import { Progress } from './progress.ts';
import { callLine } from './step-lines.ts';
import { callFastTool, callModel, callTool, recordDecision } from './steps.ts';

/**
 * One run of an agent: `callModel`, the tool calls it asks for, `callModel` …, until an answer asks
 * for none. The loop knows no agent, no tool and no prompt: what a call needs comes back with the
 * model's answer, pinned in history and ledger, so new agents and tools break no running workflow.
 *
 * The conversation is in the ledger. History grows by a constant per turn.
 */
export async function agentRun(input: AgentRunInput): Promise<AgentRunResult> {
  const { shadow } = input.options ?? {};
  const run: StepRun = {
    tenant: input.tenant,
    agent: input.agent,
    key: input.key,
    // The first execution's ID survives resets and continue-as-new, so their steps are found under
    // the same tokens.
    scope: input.scope ?? scopeFrom(workflowInfo().firstExecutionRunId, shadow),
    ...(shadow ? { shadow } : {}),
  };
  const progress = new Progress(
    input.carried ?? {
      turn: 0,
      usage: NO_USAGE,
      ...(input.known ? { known: input.known } : {}),
    },
    input,
  );
  const decisions = new Decisions(
    (answer, asked) =>
      recordDecision(input.queues.tools, {
        scope: run.scope,
        answer,
        ...(asked ? { asked: progress.ledger() } : {}),
      }),
    (open) => progress.ask(open),
  );
  setHandler(defineQuery<RunState>(STATE_QUERY), () => progress.state());

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
    progress.end('failed');
    throw failRun(error, progress.report());
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

interface Turn extends Execution {
  turn: number;
  group: EventGroupMarker;
  settings: AgentSettings | undefined;
}

/** Whoever decides while the run ends hears what became of it. */
function answered(): Promise<void> | undefined {
  if (allHandlersFinished()) return undefined;
  return CancellationScope.nonCancellable(() => condition(allHandlersFinished));
}

async function takeTurns(execution: Execution): Promise<AgentRunResult['output']> {
  const { input, run, progress } = execution;
  let settings = input.settings;
  let turn = input.carried?.turn ?? 0;
  let previous = input.carried?.lastDigest ?? null;
  let resuming = false;

  for (;;) {
    // Steps that ended well in spite of it do not carry it on, and continue-as-new would lose it.
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure(CANCELLED);
    const maxTurns = input.limits?.maxTurns ?? settings?.maxTurns;
    if (maxTurns !== undefined && turn >= maxTurns) throw turnLimit(run.agent, maxTurns);
    if (previous !== null && workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      const carried = { turn, lastDigest: previous, ...progress.report() };
      // The input is in the ledger by now: turn 1 recorded it.
      const { input: _recorded, ...rest } = input;
      await continueAsNew<typeof agentRun>({ ...rest, ...(settings ? { settings } : {}), carried });
    }

    turn += 1;
    progress.beginTurn(turn);
    const step: ModelStepInput = {
      run,
      turn,
      ...(settings ? { settings } : {}),
      ...(input.options?.model === undefined ? {} : { model: input.options.model }),
      messages: turn === 1 ? [{ role: 'user', content: input.input ?? '' }] : [],
      previous,
      ...(resuming ? { resuming } : {}),
      ...progress.ledger(),
      ...(progress.hasSeen(turn) ? { recorded: true as const } : {}),
      ...(turn === 1 && input.retires !== undefined ? { retires: input.retires } : {}),
    };
    const summary = `turn ${turn}`;
    const group = createEventGroup(summary, { id: `turn-${turn}` });
    const row = progress.begin({ step: modelStep(turn), activity: CALL_MODEL, summary });
    const answer = await callModel(input.queues.model, summary, step, group);
    progress.modelAnswered(row, answer, settings ?? answer.settings);
    settings ??= answer.settings;
    previous = answer.digest;
    resuming = answer.knownBy === 'ledger';

    if (answer.output !== undefined) return answer.output;
    await runCalls(answer.calls, { ...execution, turn, group, settings });
  }
}

/** Runs the calls of one turn concurrently; one that fails leaves the others to their end. */
async function runCalls(calls: PlannedCall[], now: Turn): Promise<void> {
  const { run, turn, settings } = now;
  const historyResults = settings?.historyResults ?? 'preview';
  const running = calls.map((call) => {
    const { index, tool, digest, policy, summary, questions, lane } = call;
    const step: ToolStepInput = {
      run,
      turn,
      index,
      tool,
      digest,
      policy,
      historyResults,
      summary,
      ...(questions ? { questions } : {}),
      ...now.progress.ledger(),
      ...now.progress.seenOf(turn, index),
    };
    return runCall(step, lane, now);
  });
  const failures: unknown[] = [];
  for (const call of running) {
    const failed = await call;
    if (failed) failures.push(failed.error);
  }
  // A cancelled run is cancelled, even if another of its calls failed on the way.
  const failure = failures.find(isCancellation) ?? failures[0];
  if (failure !== undefined) throw failure;
}

/** Resolves when the call has ended, and never rejects: the other calls are waited for. */
async function runCall(
  call: ToolStepInput,
  lane: PlannedCall['lane'],
  { input: { queues }, progress, decisions, group }: Turn,
): Promise<{ error: unknown } | undefined> {
  const { turn, index, tool, summary } = call;
  const asks = call.questions?.approval !== undefined;
  let step = call;
  let decision: Decision | undefined;
  let fast = lane === 'fast' && hasFastLane(queues);
  const row = progress.begin({
    step: toolStep(turn, index),
    activity: toolActivity(tool),
    summary,
  });
  for (;;) {
    try {
      const line = callLine(turn, summary, asks, decision);
      const end = await (fast
        ? callFastTool(line, step)
        : callTool(queues.tools, line, step, group));
      if ('waiting' in end) {
        // The ledger keeps the answer: the step, scheduled again, finds it there.
        if (end.fence !== undefined) {
          progress.callSeen(call, { fence: end.fence });
          step = { ...step, fence: end.fence };
        }
        decision = await group.withScope(() => decisions.wait(end.waiting));
        continue;
      }
      progress.callSeen(call, 'done');
      progress.toolAnswered(row, end);
      return undefined;
    } catch (error) {
      // This worker lacks the tool. In the standard lane any other may take the step.
      if (fast && isUnknownTool(error)) {
        fast = false;
        continue;
      }
      const fence = fenceOf(error);
      if (fence !== undefined) progress.callSeen(call, { fence });
      progress.failed(row);
      return { error };
    }
  }
}

function isUnknownTool(error: unknown): boolean {
  const cause = causeOf(error);
  return cause instanceof ApplicationFailure && cause.type === 'tool.unknown';
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
