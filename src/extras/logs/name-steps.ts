import type { ActivityInterceptorsFactory, WorkerPlugin } from '@temporalio/worker';
import { stepOfActivity } from '../../contract/step-of-activity.ts';
import { tokenOf } from '../../contract/step.ts';
import { OF_STEP } from './describe-entry.ts';

/** Adds to each line of a step which step it is, and what of the line is not from a tool. */
export function nameSteps(): WorkerPlugin {
  const interceptor: ActivityInterceptorsFactory = ({ info }) => {
    let names: Record<string, string> = {};
    return {
      inbound: {
        execute(input, next) {
          const of = stepOfActivity(info.activityType, input.args[0]);
          if (of) names = { step: of.step, token: tokenOf(of.run.scope, of.step) };
          return next(input);
        },
      },
      outbound: {
        getLogAttributes(attributes, next) {
          const all = next({ ...attributes, ...names });
          return { ...all, [OF_STEP]: all };
        },
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
