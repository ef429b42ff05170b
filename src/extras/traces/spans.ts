import type { WorkflowClientInterceptor } from '@temporalio/client';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { ModelEndpoints } from '../../contract/model-endpoint.ts';
import { toolActivity } from '../../contract/names.ts';
import type { RuntimeOptions } from '@temporalio/worker';
import type { ExtendWorker } from '../../worker/worker-parts.ts';
import { clientSpans } from './client-spans.ts';
import { withModelSpans } from './model-spans.ts';
import { nameOwnTraces } from './run-lines.ts';
import { writeRunSpan } from './run-span.ts';
import { stepSpans } from './step-spans.ts';
import { withToolSpans } from './tool-spans.ts';

/** What makes spans, where it has to stand. */
export interface Spans {
  client: WorkflowClientInterceptor;
  activity: ActivityInterceptorsFactory;
  runEnded: typeof writeRunSpan;
  runtime(options: RuntimeOptions): RuntimeOptions;
  worker: ExtendWorker;
  /** Sends what has not been sent; never rejects. */
  flush(): Promise<void>;
}

/**
 * @param models the app's endpoints, by which spans tell where a model was asked
 * @param flush of the SDK, where it is ours
 */
export function createSpans(
  models?: ModelEndpoints,
  flush: Spans['flush'] = () => Promise.resolve(),
): Spans {
  const effects = new Map<string, string>();
  return {
    flush,
    client: clientSpans,
    activity: stepSpans((activityType) => effects.get(activityType)),
    runEnded: writeRunSpan,
    runtime: ({ logger, ...others }) => ({
      ...others,
      ...(logger && { logger: nameOwnTraces(logger) }),
    }),
    worker({ model, agents, ...parts }) {
      for (const { name, effect } of agents.tools()) effects.set(toolActivity(name), effect);
      return {
        ...parts,
        model: withModelSpans(model, models),
        agents: { ...agents, tools: () => agents.tools().map(withToolSpans) },
      };
    },
  };
}
