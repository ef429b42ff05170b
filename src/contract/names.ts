/**
 * Names that other systems see: Temporal UI, metrics, alerts, dashboards, other services.
 * Renaming one breaks running workflows and everybody's saved queries.
 */

/** Workflow type of a run. */
export const AGENT_RUN = 'agentRun';
/** Workflow type of the tombstone that makes a key new again; no worker ever runs it. */
export const FORGOTTEN = 'forgotten';
/** Workflow type that deletes what no run needs any more. */
export const LEDGER_CLEANUP = 'ledgerCleanup';
/** ID of the Schedule that starts it. */
export const CLEANUP_SCHEDULE = 'agent-once-ledger-cleanup';

/** The tenant of whoever names none; it stands in no workflow ID. */
export const DEFAULT_TENANT = 'default';

/** What names a run. */
export interface RunName {
  tenant: string;
  agent: string;
  /** The client's idempotency key. */
  key: string;
}

/** Activity type of every model call. */
export const CALL_MODEL = 'callModel';
/** Activity type of a tool: one per tool, so that Temporal's UI and metrics speak of tools by name. */
export function toolActivity(tool: string): string {
  return `tool.${tool}`;
}

/** Activity type that records a person's decision. */
export const RECORD_DECISION = 'recordDecision';
/** The same of an approval with other arguments: one who does not know of those must not record it. */
export const RECORD_EDITED_APPROVAL = 'recordEditedApproval';
/** Activity type that lets workers hear of a cancellation. */
export const PASS_ON_CANCELLATION = 'passOnCancellation';
/** Activity type that cleans a part of the ledger. */
export const CLEAN_LEDGER = 'cleanLedger';

/** Query that returns a `RunState`. */
export const STATE_QUERY = 'state';
/** Update that takes a `DecisionInput` and answers with a `DecisionResult`. */
export const DECIDE_UPDATE = 'decide';
/** The same of an approval with other arguments. */
export const APPROVE_EDITED_UPDATE = 'approveEdited';
/** Signal with a step's name: an attempt that was given up has recorded its result after all. */
export const SETTLED_SIGNAL = 'settled';

/** Task queue of everything, unless queues are split. */
export const TASK_QUEUE = 'agent-once';

export interface TaskQueues {
  workflows: string;
  model: string;
  tools: string;
}

/**
 * The task queues of a deployment. Split queues let model calls and tools scale, and be rate
 * limited, apart from workflows; callers and workers must agree on the setting.
 */
export function taskQueues(split: boolean): TaskQueues {
  return split
    ? { workflows: TASK_QUEUE, model: `${TASK_QUEUE}-model`, tools: `${TASK_QUEUE}-tools` }
    : { workflows: TASK_QUEUE, model: TASK_QUEUE, tools: TASK_QUEUE };
}

/**
 * Whether steps can run in the fast lane: as a part of the workflow task, on the worker that has it.
 * Workers of split task queues have either workflows or steps.
 */
export function hasFastLane({ workflows, tools }: TaskQueues): boolean {
  return workflows === tools;
}

/** Search attributes, and the types they are registered with. */
export const SEARCH_ATTRIBUTES = {
  AgentName: 'Keyword',
  AgentTenant: 'Keyword',
  AgentStatus: 'Keyword',
  AgentCostUsd: 'Double',
} as const;
