import { defaultPayloadConverter, type Client } from '@temporalio/client';
import type { OpenQuestion } from '../../src/contract/decision.ts';
import { AGENT_RUN, TASK_QUEUE } from '../../src/contract/names.ts';
import type { RunState } from '../../src/contract/run.ts';
import { eventually } from './eventually.ts';

/** Numbers of Temporal's `CommandType`. */
const COMPLETE = 4;
const FAIL = 5;
const CANCEL = 7;
const CONTINUE_AS_NEW = 10;
const MODIFY_PROPERTIES = 16;
/** Of its `WorkflowTaskFailedCause`: what Temporal's SDK says of an answer that is too large. */
const GRPC_MESSAGE_TOO_LARGE = 36;
/** Of its `QueryResultType`. */
const ANSWERED = 1;

type Service = Client['workflowService'];
type Task = Awaited<ReturnType<Service['pollWorkflowTaskQueue']>>;
type Command = NonNullable<
  Parameters<Service['respondWorkflowTaskCompleted']>[0]['commands']
>[number];

/** Ends runs in exactly the way a test needs, by single requests to the server: no workflow code. */
export interface HandWorker {
  complete(workflowId: string, result: unknown): Promise<void>;
  fail(workflowId: string, failure: FailureOptions): Promise<void>;
  /** Ends a run whose cancellation was requested. */
  cancel(workflowId: string): Promise<void>;
  continueAsNew(workflowId: string): Promise<void>;
  /** Lets a run wait for a person, as its memo says it. */
  waitFor(workflowId: string, question: OpenQuestion): Promise<void>;
  /** Says that what it would answer to a run's task is more than the server takes. */
  answerTooMuch(workflowId: string): Promise<void>;
  /** Takes a run's task and does nothing with it: from then on the run answers queries. */
  idle(workflowId: string): Promise<void>;
  /** Answers the next query. */
  answerQuery(state: RunState): Promise<void>;
}

export interface FailureOptions {
  type: string;
  message: string;
  details?: unknown[];
}

export function createHandWorker(temporal: Client): HandWorker {
  const { workflowService } = temporal;
  const { namespace } = temporal.options;
  /** Tasks of other runs than the one that was asked for. */
  const aside = new Map<string, Task>();

  function poll(): Promise<Task> {
    return temporal.withDeadline(Date.now() + 15_000, () =>
      workflowService.pollWorkflowTaskQueue({
        namespace,
        taskQueue: { name: TASK_QUEUE },
        identity: 'hand worker',
      }),
    );
  }

  async function taskOf(workflowId: string): Promise<Task> {
    return eventually(async () => {
      const kept = aside.get(workflowId);
      if (kept) {
        aside.delete(workflowId);
        return kept;
      }
      const task = await poll();
      const id = task.workflowExecution?.workflowId;
      if (id === workflowId) return task;
      if (id) aside.set(id, task);
      throw new Error(`No task of ${workflowId} yet`);
    });
  }

  async function respond(workflowId: string, ...commands: Command[]): Promise<void> {
    const { taskToken } = await taskOf(workflowId);
    await workflowService.respondWorkflowTaskCompleted({ namespace, taskToken, commands });
  }

  return {
    complete: (workflowId, result) =>
      respond(workflowId, {
        commandType: COMPLETE,
        completeWorkflowExecutionCommandAttributes: { result: payloads(result) },
      }),
    fail: (workflowId, { type, message, details = [] }) =>
      respond(workflowId, {
        commandType: FAIL,
        failWorkflowExecutionCommandAttributes: {
          failure: {
            message,
            applicationFailureInfo: { type, nonRetryable: true, details: payloads(...details) },
          },
        },
      }),
    cancel: (workflowId) =>
      respond(workflowId, {
        commandType: CANCEL,
        cancelWorkflowExecutionCommandAttributes: {},
      }),
    async continueAsNew(workflowId) {
      const { raw } = await temporal.workflow.getHandle(workflowId).describe();
      const { memo, searchAttributes } = raw.workflowExecutionInfo ?? {};
      await respond(workflowId, {
        commandType: CONTINUE_AS_NEW,
        continueAsNewWorkflowExecutionCommandAttributes: {
          workflowType: { name: AGENT_RUN },
          taskQueue: { name: TASK_QUEUE },
          input: payloads({}),
          // A worker of Temporal's SDK takes these along too.
          ...(memo ? { memo } : {}),
          ...(searchAttributes ? { searchAttributes } : {}),
        },
      });
    },
    waitFor: (workflowId, question) => {
      const waiting = defaultPayloadConverter.toPayload([question]);
      return respond(workflowId, {
        commandType: MODIFY_PROPERTIES,
        modifyWorkflowPropertiesCommandAttributes: { upsertedMemo: { fields: { waiting } } },
      });
    },
    async answerTooMuch(workflowId) {
      const { taskToken } = await taskOf(workflowId);
      const cause = GRPC_MESSAGE_TOO_LARGE;
      await workflowService.respondWorkflowTaskFailed({ namespace, taskToken, cause });
    },
    idle: (workflowId) => respond(workflowId),
    async answerQuery(state) {
      const { taskToken } = await eventually(async () => {
        const task = await poll();
        if (!task.query) throw new Error('No query yet');
        return task;
      });
      await workflowService.respondQueryTaskCompleted({
        namespace,
        taskToken,
        completedType: ANSWERED,
        queryResult: payloads(state),
      });
    },
  };
}

function payloads(...values: unknown[]): {
  payloads: ReturnType<typeof defaultPayloadConverter.toPayload>[];
} {
  return { payloads: values.map((value) => defaultPayloadConverter.toPayload(value)) };
}
