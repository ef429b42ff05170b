import type { ActivityInterceptorsFactory, WorkerPlugin } from '@temporalio/worker';
import { isObject } from '../../contract/json-value.ts';
import { CALL_MODEL, toolActivity } from '../../contract/names.ts';
import { modelStep, tokenOf, toolStep } from '../../contract/step.ts';
import type { TraceFields } from './trace.ts';

/** Adds to each line of a step which step it is, and the span in which it was written. */
export function nameSteps(trace: () => TraceFields | undefined): WorkerPlugin {
  const interceptor: ActivityInterceptorsFactory = ({ info }) => {
    let names: Record<string, string> = {};
    return {
      inbound: {
        execute(input, next) {
          names = namesOf(info.activityType, input.args[0]);
          return next(input);
        },
      },
      outbound: {
        getLogAttributes: (attributes, next) => next({ ...attributes, ...names, ...trace() }),
      },
    };
  };
  return {
    name: 'agent-once-logs',
    configureWorker: ({ interceptors, ...options }) => ({
      ...options,
      interceptors: {
        ...interceptors,
        activity: [interceptor, ...(interceptors?.activity ?? [])],
      },
    }),
  };
}

/** @param argument of the activity: a `ModelStepInput`, a `ToolStepInput`, or another's */
function namesOf(activityType: string, argument: unknown): Record<string, string> {
  if (!isObject(argument) || !isObject(argument['run'])) return {};
  const { run, turn, index } = argument;
  const { scope } = run;
  if (typeof scope !== 'string' || typeof turn !== 'number') return {};
  const isTool = activityType.startsWith(toolActivity('')) && typeof index === 'number';
  if (!isTool && activityType !== CALL_MODEL) return {};
  const step = isTool ? toolStep(turn, index) : modelStep(turn);
  return { step, token: tokenOf(scope, step) };
}
