/**
 * Names that other systems see: Temporal UI, metrics, alerts, dashboards, other services.
 * Renaming one breaks running workflows and everybody's saved queries.
 */

/** Workflow type of a run. */
export const AGENT_RUN = 'agentRun';
/** Workflow type of the tombstone that makes a key new again; no worker ever runs it. */
export const FORGOTTEN = 'forgotten';

/** Activity type of every model call. */
export const CALL_MODEL = 'callModel';
/** Activity type of a tool: one per tool, so that Temporal's UI and metrics speak of tools by name. */
export function toolActivity(tool: string): string {
  return `tool.${tool}`;
}

/** Activity type that records a person's decision. */
export const RECORD_DECISION = 'recordDecision';

/** Query that returns a `RunState`. */
export const STATE_QUERY = 'state';
/** Update that takes a `DecisionInput` and answers with a `DecisionResult`. */
export const DECIDE_UPDATE = 'decide';
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

/** Search attributes, and the types they are registered with. */
export const SEARCH_ATTRIBUTES = {
  AgentName: 'Keyword',
  AgentTenant: 'Keyword',
  AgentStatus: 'Keyword',
  AgentCostUsd: 'Double',
} as const;
