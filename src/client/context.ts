import type { Client } from '@temporalio/client';
import {
  DEFAULT_TENANT,
  parseWorkflowId,
  workflowIdOf,
  workflowIdPrefix,
  type RunName,
} from '../contract/key.ts';
import { isObject } from '../contract/json-value.ts';
import { taskQueues, type TaskQueues } from '../contract/names.ts';
import { SharedWork } from './shared-work.ts';
import { asAgentOnceError } from './temporal-errors.ts';
import type { AgentDirectory, AgentOf, ByAgent, ClientOptions, RunRef } from './types.ts';

/** What every operation of a client needs. */
export interface ClientContext {
  temporal: Client;
  registry: AgentDirectory | undefined;
  searchAttributes: boolean;
  hashKeys: boolean;
  queues: TaskQueues;
  requestTimeoutMs: number;
  seen: SeenIds;
  /** What callers of this client wait for together. */
  shared: SharedWork;
  /** Starts under way, by workflow ID. Each resolves when it has ended, however. */
  starting: Map<string, Promise<void>>;
}

export function createContext(options: ClientOptions): ClientContext {
  return {
    temporal: options.temporal,
    registry: options.registry,
    searchAttributes: options.searchAttributes ?? true,
    hashKeys: options.hashKeys ?? false,
    queues: taskQueues(options.splitTaskQueues ?? false),
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    seen: new SeenIds(),
    shared: new SharedWork(),
    starting: new Map(),
  };
}

/**
 * The latest workflow IDs that a client has seen taken. For one of them a start looks before it
 * asks for a new run: the refusal would be the slowest request of a duplicate. Only a hint: what is
 * under the ID is asked every time.
 */
class SeenIds extends Set<string> {
  override add(id: string): this {
    // A set keeps its order: what is added again becomes the latest.
    this.delete(id);
    super.add(id);
    const [oldest] = this;
    if (this.size > 10_000 && oldest !== undefined) this.delete(oldest);
    return this;
  }
}

/** A run's names, checked, and how they stand in its workflow ID. */
export interface RunIdentity extends RunName {
  workflowId: string;
  keyInId: string;
}

/**
 * @param ref a run that was identified before, as by its ID alone, is itself
 * @throws {AgentOnceError} `name.invalid`, `key.invalid`
 */
export function identify(
  { hashKeys }: Pick<ClientContext, 'hashKeys'>,
  ref: ByAgent<RunRef> | RunIdentity,
): RunIdentity {
  if ('keyInId' in ref) return ref;
  const name = { tenant: ref.tenant ?? DEFAULT_TENANT, agent: nameOf(ref.agent), key: ref.key };
  const workflowId = workflowIdOf(name, hashKeys);
  const keyInId = workflowId.slice(workflowIdPrefix(name.tenant, name.agent).length);
  return { ...name, workflowId, keyInId };
}

export function nameOf(agent: AgentOf<unknown>): string {
  return isObject(agent) ? agent.name : agent;
}

/** The run that an ID names, with its key as it stands there; `undefined`: no ID of a run. */
export function identifyById(workflowId: string): RunIdentity | undefined {
  const name = parseWorkflowId(workflowId);
  return name && { ...name, workflowId, keyInId: name.key };
}

/**
 * Sends one request, bounded in time: Temporal's client retries what is worth it, and would go on
 * forever where nobody answers.
 *
 * @throws whatever the client threw
 */
export function request<T>(context: ClientContext, send: () => Promise<T>): Promise<T> {
  return context.temporal.withDeadline(Date.now() + context.requestTimeoutMs, send);
}

/** `request` for callers without a case of their own: throws `temporal.…`. */
export async function ask<T>(context: ClientContext, send: () => Promise<T>): Promise<T> {
  try {
    return await request(context, send);
  } catch (error) {
    throw asAgentOnceError(error, context.temporal);
  }
}
