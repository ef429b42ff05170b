import type { Client } from '@temporalio/client';
import { atLeast, exactly, type Finding } from './report.ts';

/** What the others counted; our own ledger is not asked. */
export interface ShopCounters {
  refunds: number;
  emails: number;
  refundRequests: number;
  emailRequests: number;
}

export async function readShop(url: string): Promise<ShopCounters> {
  return (await getJson(new URL('/counters', url))) as ShopCounters;
}

export async function readRefunds(url: string, order: number): Promise<number> {
  const answer = await getJson(new URL(`/refunds?order=${order}`, url));
  const refunds = Array.isArray(answer) ? answer : (answer as { refunds: unknown[] }).refunds;
  return refunds.length;
}

/** Requests that the scripted model got; `undefined` for a real one, which tells nobody. */
export async function readModelRequests(url: string | undefined): Promise<number | undefined> {
  if (url === undefined) return undefined;
  return ((await getJson(new URL('/counters', url))) as { requests: number }).requests;
}

export interface TemporalReadings {
  /** Executions under the workflow ID. */
  executions: number;
  /** Model steps in its history. */
  modelSteps: number;
  /** Tool steps in its history, by tool. */
  toolSteps: Record<string, number>;
  /** Attempts of the refund's activity, as Temporal counts them. */
  refundAttempts: number;
}

export async function readTemporal(client: Client, workflowId: string): Promise<TemporalReadings> {
  const handle = client.workflow.getHandle(workflowId);
  const { events } = await handle.fetchHistory();
  const types = new Map<string, string>();
  const toolSteps: Record<string, number> = {};
  let modelSteps = 0;
  let refundAttempts = 0;
  for (const event of events ?? []) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    const type = scheduled?.activityType?.name;
    if (type !== undefined && type !== null) {
      types.set(String(event.eventId), type);
      if (type === 'callModel') modelSteps += 1;
      else toolSteps[type] = (toolSteps[type] ?? 0) + 1;
    }
    const started = event.activityTaskStartedEventAttributes;
    if (started && types.get(String(started.scheduledEventId)) === 'tool.issue_refund') {
      refundAttempts += started.attempt ?? 0;
    }
  }
  return {
    executions: await countExecutions(client, workflowId),
    modelSteps,
    toolSteps,
    refundAttempts,
  };
}

/** What starts of one request were told, those that were answered. */
export function findStarts(
  { sent, answered, executions }: { sent: number; answered: readonly Told[]; executions: number },
  promised: number,
): Finding[] {
  const isNew = answered.filter(({ replayed }) => !replayed).length;
  const runs = new Set(answered.map(({ runId }) => runId)).size;
  const attached = answered.length - isNew;
  return [
    exactly('starts sent', 'the clients', sent, promised),
    exactly('runs created', 'Temporal', executions, 1),
    exactly('starts that were told "new"', 'the clients', isNew, 1),
    exactly('starts that were attached to it', 'the clients', attached, promised - 1),
    exactly('different runs that they were told', 'the clients', runs, 1),
  ];
}

export interface Told {
  runId: string;
  replayed: boolean;
}

/** What became of a refund whose worker died before it was recorded. */
export function findEffects(shop: ShopCounters, { refundAttempts }: TemporalReadings): Finding[] {
  return [
    atLeast('attempts of the refund step', 'Temporal', refundAttempts, 2),
    atLeast('refund requests', 'the shop', shop.refundRequests, 2),
    exactly('refunds', 'the shop', shop.refunds, 1),
    exactly('e-mails', 'the shop', shop.emails, 1),
  ];
}

/** @param before requests until the run had ended */
export function findModelCalls(
  requests: number,
  before: number | undefined,
  { modelSteps }: TemporalReadings,
): Finding[] {
  const later = requests - (before ?? 0);
  return [
    exactly('model calls', 'the model server', requests, modelSteps),
    exactly('model calls for the replay and the conflict', 'the model server', later, 0),
  ];
}

/** @param conflict the code of the error that another request under the key was told */
export function findRepeats(replayed: boolean, conflict: string): Finding[] {
  const again = replayed ? 'replayed' : 'run again';
  return [
    exactly('the same key again', 'the client', again, 'replayed'),
    exactly('the same key with another request', 'the client', conflict, 'key.conflict'),
  ];
}

async function countExecutions(client: Client, workflowId: string): Promise<number> {
  // Visibility lags behind: wait until it knows the execution that there certainly is.
  for (let asked = 0; ; asked += 1) {
    let executions = 0;
    const query = `WorkflowId = "${workflowId}"`;
    for await (const _ of client.workflow.list({ query })) executions += 1;
    if (executions > 0 || asked > 100) return executions;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function getJson(url: URL): Promise<unknown> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.href} answered ${response.status}`);
  return response.json();
}
