/**
 * In the workflows' sandbox: hands the trace that a run came with on to its activities, names it in the
 * run's lines of the log, and tells how the run ended. It makes no span, takes no random number, adds no command and no turn of the event
 * loop, so it changes nothing in what a run does and in how its history replays.
 */
import {
  ApplicationFailure,
  ContinueAsNew,
  defaultPayloadConverter,
  isCancellation,
  proxySinks,
  TemporalFailure,
  workflowInfo,
  type Headers,
  type Sinks,
  type WorkflowInterceptors,
} from '@temporalio/workflow';
import { logFieldsOf, TRACE_HEADER, type LogFields } from './workflow-trace.ts';

/** How a run ended. */
export interface RunEnd {
  how: 'completed' | 'continued' | 'cancelled' | 'failed';
  /** Code of what it failed with. */
  code?: string;
}

/** What the worker hears of a run. */
export interface TraceSinks extends Sinks {
  agentOnceTraces: {
    /** @param run whose it is: the workflow's first argument has it, where it is an agent's run */
    runEnded(run: { agent?: string; tenant?: string }, end: RunEnd, trace: Headers): void;
  };
}

const { agentOnceTraces } = proxySinks<TraceSinks>();

export function interceptors(): WorkflowInterceptors {
  let trace: Headers = {};
  let inLines: LogFields | undefined;
  const traced = <Input extends { headers: Headers }>(input: Input): Input => ({
    ...input,
    headers: { ...trace, ...input.headers },
  });
  return {
    inbound: [
      {
        execute(input, next) {
          const found = input.headers[TRACE_HEADER];
          if (found) {
            trace = { [TRACE_HEADER]: found };
            inLines = inLinesOf(found);
          }
          const run = runOf(input.args[0]);
          const tell = (end: RunEnd | undefined): void => {
            if (end) agentOnceTraces.runEnded(run, end, trace);
          };
          const ended = next(input);
          ended.then(
            () => tell({ how: 'completed' }),
            (error: unknown) => tell(endOf(error)),
          );
          return ended;
        },
      },
    ],
    outbound: [
      {
        getLogAttributes: (attributes, next) => next({ ...attributes, ...inLines }),
        scheduleActivity: (input, next) => next(traced(input)),
        scheduleLocalActivity: (input, next) => next(traced(input)),
        startChildWorkflowExecution: (input, next) => next(traced(input)),
        continueAsNew: (input, next) => next(traced(input)),
      },
    ],
  };
}

/** Nothing of a trace that cannot be read. */
function inLinesOf(header: NonNullable<Headers[string]>): LogFields | undefined {
  try {
    const { traceparent } = defaultPayloadConverter.fromPayload<{ traceparent?: string }>(header);
    return traceparent === undefined ? undefined : logFieldsOf(workflowInfo().runId, traceparent);
  } catch {
    return undefined;
  }
}

function runOf(argument: unknown): { agent?: string; tenant?: string } {
  const { agent, tenant } = (argument ?? {}) as { agent?: unknown; tenant?: unknown };
  return {
    ...(typeof agent === 'string' ? { agent } : {}),
    ...(typeof tenant === 'string' ? { tenant } : {}),
  };
}

/** `undefined`: the error ends the workflow task and not the run, which goes on with another worker. */
function endOf(error: unknown): RunEnd | undefined {
  if (error instanceof ContinueAsNew) return { how: 'continued' };
  if (isCancellation(error)) return { how: 'cancelled' };
  if (!(error instanceof TemporalFailure)) return undefined;
  const code = error instanceof ApplicationFailure ? error.type : undefined;
  return { how: 'failed', ...(code ? { code } : {}) };
}
