import {
  context,
  createContextKey,
  type Attributes,
  type Context as Trace,
} from '@opentelemetry/api';
import type { Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor, ActivityInterceptors } from '@temporalio/worker';
import type { ModelStepResult, ToolStepDone, ToolStepResult } from '../../contract/step.ts';
import { errorType, OWN, stepAttributes } from './attributes.ts';
import { inSpan, logFields } from './in-span.ts';
import { inRun } from './run-ids.ts';
import { traceIn } from './temporal-headers.ts';

const STEP = createContextKey('agent-once.step');

/** What the spans below a step's say of it too. */
export function attributesOfStep(of: Trace): Attributes {
  return (of.getValue(STEP) as Attributes | undefined) ?? {};
}

/** A span for each attempt of each activity, below the run's; the attempt's lines of the log name it. */
export function stepSpans(effectOf: (activityType: string) => string | undefined) {
  return ({ info }: Context): ActivityInterceptors => {
    let own: Trace | undefined;
    const began = (of: Trace): void => void (own = of);
    return {
      inbound: {
        execute: (input, next) => attempt(info, effectOf(info.activityType), began, input, next),
      },
      outbound: {
        // That an attempt has failed is said when its span is over.
        getLogAttributes: (attributes, next) =>
          next({ ...attributes, ...(logFields(context.active()) ?? logFields(own)) }),
      },
    };
  };
}

type Execute = NonNullable<ActivityInboundCallsInterceptor['execute']>;

function attempt(
  info: Context['info'],
  effect: string | undefined,
  began: (own: Trace) => void,
  ...[input, next]: Parameters<Execute>
): Promise<unknown> {
  const { activityType, attempt: number, isLocal, workflowExecution } = info;
  const runId = workflowExecution?.runId ?? '';
  const step = stepAttributes(activityType, input.args[0]);
  const attributes = {
    ...step,
    ...(effect === undefined ? {} : { [OWN.effect]: effect }),
    [OWN.runId]: runId,
    [OWN.attempt]: number,
    [OWN.lane]: isLocal ? 'fast' : 'standard',
  };
  const incoming = traceIn(input.headers);
  const parent = (runId === '' ? incoming : inRun(incoming, runId)).setValue(STEP, step);
  return inSpan(`RunActivity:${activityType}`, { attributes }, parent, async (span, own) => {
    began(own);
    try {
      const result = await next(input);
      // An activity of the app's own may return anything.
      span.setAttributes(OWN.step in step ? endAttributes(result) : { [OWN.ended]: 'executed' });
      return result;
    } catch (error) {
      span.setAttribute(OWN.ended, ENDS[errorType(error)] ?? 'failed');
      throw error;
    }
  });
}

/** What leaves an attempt that did not fail by itself, by its code. */
const ENDS: Readonly<Record<string, string>> = {
  CancelledFailure: 'cancelled',
  'step.outcome_unknown': 'unknown',
  'step.interrupted': 'interrupted',
  'step.busy': 'busy',
};

function endAttributes(result: unknown): Attributes {
  const end = (result ?? {}) as Partial<ModelStepResult> & Partial<ToolStepDone> & ToolStepResult;
  if ('waiting' in end) {
    return { [OWN.ended]: end.waiting.kind === 'outcome' ? 'unknown' : 'waiting' };
  }
  return {
    [OWN.ended]: end.knownBy ?? 'executed',
    ...(end.attempts === undefined ? {} : { [OWN.executed]: end.attempts }),
    ...(end.possiblyPaid ? { [OWN.possiblyPaid]: end.possiblyPaid } : {}),
    ...(typeof end.usage?.costUsd === 'number' ? { [OWN.costUsd]: end.usage.costUsd } : {}),
  };
}
