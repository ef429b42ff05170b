import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import type { RecordDecisionInput } from '../contract/decision.ts';
import { AgentOnceError } from '../contract/errors.ts';
import type { CleanLedgerInput } from '../contract/cleanup.ts';
import {
  CALL_MODEL,
  CLEAN_LEDGER,
  PASS_ON_CANCELLATION,
  RECORD_DECISION,
  RECORD_EDITED_APPROVAL,
  toolActivity,
} from '../contract/names.ts';
import type {
  ModelStepInput,
  PassOnCancellationInput,
  StepRun,
  ToolStepInput,
} from '../contract/step.ts';
import { callModel } from './model/call-model.ts';
import { callTool } from './tool/call-tool.ts';
import { cleanLedger } from './clean-ledger.ts';
import type { ActivityDeps } from './deps.ts';
import { passOnCancellation } from './pass-on-cancellation.ts';
import { recordDecision } from './record-decision.ts';
import { activityFailure, failureOf } from './step/failures.ts';

/** An activity, whatever its argument is. */
type Activity = (input: never) => Promise<unknown>;

/**
 * The activities of a worker: `callModel`, one `tool.<name>` per tool, and an answer for tools that
 * this worker does not have.
 *
 * @param only restricts them to the model's or the tools', for a worker of a split task queue
 */
export function createActivities(
  deps: ActivityDeps,
  only?: 'model' | 'tools',
): Record<string, Activity> {
  const activities: Record<string, Activity> = {};
  if (only !== 'tools') {
    activities[CALL_MODEL] = (input: ModelStepInput) => {
      refuseRealRun(deps, input.run);
      return callModel(deps, input);
    };
  }
  if (only !== 'model') {
    for (const name of [RECORD_DECISION, RECORD_EDITED_APPROVAL]) {
      activities[name] = (input: RecordDecisionInput) => recordDecision(deps, input);
    }
    activities[PASS_ON_CANCELLATION] = (input: PassOnCancellationInput) =>
      passOnCancellation(deps, input);
    if (deps.cleaning) {
      const cleaning = { ...deps.cleaning, faults: deps.faults };
      activities[CLEAN_LEDGER] = (input: CleanLedgerInput) => cleanLedger(cleaning, input);
    }
    for (const tool of deps.agents.tools()) {
      activities[toolActivity(tool.name)] = (input: ToolStepInput) => {
        refuseRealRun(deps, input.run);
        return callTool(deps, tool, input);
      };
    }
    activities['default'] = unknownActivity;
  }
  for (const [name, activity] of Object.entries(activities))
    activities[name] = wellFormed(activity);
  return activities;
}

/** Refuses a step of a real run on a worker that is for shadow runs only. Nothing was done yet. */
function refuseRealRun({ shadowOnly }: ActivityDeps, { shadow }: StepRun): void {
  if (!shadowOnly || shadow) return;
  throw new AgentOnceError(
    'run.not_shadow',
    'This worker executes shadow runs only (--shadow-only), and the run is none: nothing was ' +
      'called, no model was paid. Start it with --shadow under another key; or stop this worker, ' +
      'start an ordinary one, and resume the run (agent-once resume).',
  );
}

/**
 * Retried: in a rolling deployment another worker may know it. In the fast lane this one would
 * be asked again: there the workflow schedules the step anew, where any worker can take it.
 */
async function unknownActivity(): Promise<never> {
  const { activityType, isLocal } = Context.current().info;
  const tool = toolActivity('');
  const wanted = activityType.startsWith(tool)
    ? `the tool "${activityType.slice(tool.length)}" that a recorded turn asks for`
    : `the activity "${activityType}" that a workflow asks for`;
  throw activityFailure(
    {
      code: 'tool.unknown',
      message: `This worker does not know ${wanted}. Deploy a worker that has it; until then the step is tried again.`,
      retryable: !isLocal,
    },
    undefined,
    5_000,
  );
}

/**
 * The gate of what an activity throws. Its message, stack and type are strings of protobuf, which
 * must be well-formed: with half of a surrogate pair in one of them the worker fails, and so does
 * each one that tries again. Only failures that were made of cut and cleaned messages pass; anything
 * else becomes one. (Results, details, summaries and memos are JSON: there a lone surrogate is
 * written as an escape.)
 */
export function wellFormed(activity: Activity): Activity {
  return async (input) => {
    try {
      return await activity(input);
    } catch (error) {
      throw isWellFormed(error) ? error : activityFailure(failureOf(error, 'step.failed'));
    }
  };
}

function isWellFormed(error: unknown): boolean {
  if (!(error instanceof ApplicationFailure || error instanceof CancelledFailure)) return false;
  const { message, stack = '', cause } = error;
  return cause === undefined && [message, stack].every((text) => text.isWellFormed());
}
