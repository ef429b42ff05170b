import type { Client } from '@temporalio/client';
import { defaultPayloadConverter, fromPayloadsAtIndex } from '@temporalio/common';
import pg from 'pg';
import type { Effect as EffectClass } from '../src/contract/step.ts';
import { AGENT_RUN } from '../src/contract/names.ts';
import { canonicalJson } from '../src/contract/json.ts';
import type { Zombie } from './inject.ts';
import type { Effect, ExpectedEffect } from './scenario.ts';
import type { Told } from './starters.ts';

/** A request that was made, and everybody who was told of it. */
export interface RunEvidence {
  key: string;
  workflowId: string;
  expected: ExpectedEffect[];
  told: Told[];
}

/** An error, or a remark, that the ledger has of a step. */
export interface StepNote {
  code: string;
  message: string;
}

/** An effect that there was. */
export interface CountedEffect extends Effect {
  /** The process that asked for it; `null`: its request did not say. */
  pid: number | null;
  /** Milliseconds since 1970; `null`: not known. */
  at: number | null;
  /** The step's token; absent: not known. */
  token?: string;
}

/** A row of the ledger. */
export interface StepEvidence {
  token: string;
  workflowId: string;
  name: string;
  kind: 'model' | 'tool';
  state: string;
  /** When the ledger first heard of it, in milliseconds since 1970. */
  createdAt: number;
  attempts: number;
  unknownAttempts: number;
  /** How its result came to be known other than by an attempt: `find`, `person`, `shadow`. */
  knownBy: string | null;
  /** Of its attempts, oldest first; the last ten. */
  errors: StepNote[];
  /** When people decided that an attempt had not happened, in milliseconds since 1970. */
  didNotHappenAt: number[];
  /** When people approved it. */
  approvedAt: number[];
}

/** An execution, as Temporal has it. */
export interface ExecutionEvidence {
  workflowId: string;
  runId: string;
  status: string;
  /** The result in its history, as canonical JSON; `null`: it has none. */
  result: string | null;
  /** Why it failed; `null`: it has not. */
  failure: string | null;
  /** Activities that ended with a step's result, by their type. */
  completions: Record<string, number>;
}

/** What was counted, each by somebody else. */
export interface Evidence {
  classes: Record<string, EffectClass>;
  /** Tools that must not run before a person has approved the call. */
  approved: ReadonlySet<string>;
  runs: RunEvidence[];
  /** Every effect that there was: of the shop, and rows of transactional tools. */
  effects: CountedEffect[];
  /** What the kit did to processes so that they act late. */
  zombies: readonly Zombie[];
  /** Requests that the model server got, by token. */
  modelRequests: Record<string, number>;
  steps: StepEvidence[];
  executions: ExecutionEvidence[];
}

/** What `effectRows` of a scenario gives. */
interface EffectRow extends Effect {
  token?: string;
  at?: number;
}

/** Reads the ledger as a stranger: with a query of its own. */
export async function readLedger(
  url: string,
  effectRows: string | undefined,
): Promise<{ steps: StepEvidence[]; rows: CountedEffect[] }> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows: steps } = await client.query<StepEvidence>(`
      SELECT scope || ':' || step AS token, workflow_id AS "workflowId", name, kind, state, attempts,
             floor(extract(epoch FROM created_at) * 1000)::double precision AS "createdAt",
             unknown_attempts AS "unknownAttempts", known_by AS "knownBy", errors,
             ARRAY(SELECT floor(extract(epoch FROM q.decided_at) * 1000)::double precision
                   FROM agent_once.questions AS q
                   WHERE q.scope = s.scope AND q.step = s.step AND q.decision = 'did-not-happen'
                   ORDER BY q.decided_at) AS "didNotHappenAt",
             ARRAY(SELECT floor(extract(epoch FROM q.decided_at) * 1000)::double precision
                   FROM agent_once.questions AS q
                   WHERE q.scope = s.scope AND q.step = s.step AND q.decision = 'approve'
                   ORDER BY q.decided_at) AS "approvedAt"
      FROM agent_once.steps AS s`);
    const { rows } =
      effectRows === undefined ? { rows: [] } : await client.query<EffectRow>(effectRows);
    return { steps, rows: rows.map((row) => ({ ...row, pid: null, at: row.at ?? null })) };
  } finally {
    await client.end();
  }
}

/** What the scripted model counted. */
export async function readModelRequests(modelUrl: string): Promise<Record<string, number>> {
  const response = await fetch(new URL('/counters', modelUrl));
  return ((await response.json()) as { byToken: Record<string, number> }).byToken;
}

/** All executions of agents in the namespace, each with what its history says. */
export async function readExecutions(temporal: Client): Promise<ExecutionEvidence[]> {
  const found: ExecutionEvidence[] = [];
  for await (const info of temporal.workflow.list({ query: `WorkflowType = '${AGENT_RUN}'` })) {
    const { workflowId, runId, status } = info;
    const history = await readHistory(temporal, workflowId, runId);
    found.push({ workflowId, runId, status: status.name, ...history });
  }
  return found;
}

async function readHistory(temporal: Client, workflowId: string, runId: string) {
  const { events } = await temporal.workflow.getHandle(workflowId, runId).fetchHistory();
  const types = new Map<string, string>();
  const completions: Record<string, number> = {};
  let result: string | null = null;
  let failure: string | null = null;
  const count = (type: string, payloads: { payloads?: Payloads } | null | undefined): void => {
    const value = valueOf(payloads?.payloads);
    // An attempt that found that a person must be asked ended without a result of the step.
    if (isObject(value) && 'waiting' in value) return;
    completions[type] = (completions[type] ?? 0) + 1;
  };
  for (const event of events ?? []) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) types.set(String(event.eventId), scheduled.activityType?.name ?? '');
    const completed = event.activityTaskCompletedEventAttributes;
    if (completed) count(types.get(String(completed.scheduledEventId)) ?? '', completed.result);
    const local = event.markerRecordedEventAttributes;
    if (local?.markerName === LOCAL_ACTIVITY && !local.failure) {
      const data = valueOf(local.details?.['data']?.payloads);
      const type = isObject(data) ? data['activity_type'] : undefined;
      if (typeof type !== 'string') throw new Error('A local activity in the history has no type');
      count(type, local.details?.['result']);
    }
    const failed = event.workflowExecutionFailedEventAttributes?.failure;
    if (failed) failure = `${failed.applicationFailureInfo?.type}: ${failed.message}`;
    const ended = event.workflowExecutionCompletedEventAttributes;
    if (ended) {
      const value = valueOf(ended.result?.payloads);
      result = canonicalJson(isObject(value) ? value['output'] : value);
    }
  }
  return { result, failure, completions };
}

type Payloads = Parameters<typeof fromPayloadsAtIndex>[2];

/** How a fast step stands in a history. */
const LOCAL_ACTIVITY = 'core_local_activity';

function valueOf(payloads: Payloads): unknown {
  return fromPayloadsAtIndex(defaultPayloadConverter, 0, payloads);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
