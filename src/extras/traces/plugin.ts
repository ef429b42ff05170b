import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClientPlugin } from '@temporalio/client';
import type { BundlerPlugin, InjectedSinks, WorkerPlugin } from '@temporalio/worker';
import type { Spans } from './spans.ts';
import type { TraceSinks } from './workflow-interceptors.ts';

const HERE = fileURLToPath(import.meta.url);
const INTERCEPTORS = path.join(path.dirname(HERE), `workflow-interceptors${path.extname(HERE)}`);

/**
 * What Temporal's library is told. The workflows' bundle is the same with and without traces, since it
 * is made before anybody knows; without them, nobody listens to it.
 */
export function createPlugin(
  spans: Spans | undefined,
): ClientPlugin & WorkerPlugin & BundlerPlugin {
  const sinks: InjectedSinks<TraceSinks> = {
    agentOnceTraces: { runEnded: { fn: spans?.runEnded ?? (() => {}) } },
  };
  return {
    name: 'agent-once.traces',
    configureBundler: (options) => ({
      ...options,
      workflowInterceptorModules: [...(options.workflowInterceptorModules ?? []), INTERCEPTORS],
    }),
    configureClient(options) {
      if (!spans) return options;
      const { workflow = [], ...others } = options.interceptors ?? {};
      const own = Array.isArray(workflow) ? workflow : [];
      return { ...options, interceptors: { ...others, workflow: [...own, spans.client] } };
    },
    configureWorker(options) {
      const { activity = [], ...others } = options.interceptors ?? {};
      return {
        ...options,
        sinks: { ...options.sinks, ...sinks },
        ...(spans && { interceptors: { ...others, activity: [...activity, spans.activity] } }),
      };
    },
    async runWorker(worker, next) {
      try {
        await next(worker);
      } finally {
        // A worker that cannot go on ends its process at once.
        await spans?.flush();
      }
    },
    configureReplayWorker: (options) => ({ ...options, sinks: { ...options.sinks, ...sinks } }),
  };
}
