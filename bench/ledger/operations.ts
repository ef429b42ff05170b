import { createHash, randomUUID } from 'node:crypto';
import { modelStep, toolStep } from '../../src/contract/step.ts';
import { openLedger, openLedgerReader } from '../../src/ledger/open-ledger.ts';
import type { Ledger, PlannedStep, StepClaim } from '../../src/ledger/port.ts';
import type { LedgerReader } from '../../src/ledger/reader.ts';
import { TURNS, withClient } from './fill.ts';

/** A ledger that is measured, and scopes of it. */
export interface MeasuredLedger {
  url: string;
  ledger: Ledger;
  reader: LedgerReader;
  /** The worker's lease. */
  lease: string;
  /** Scopes of new runs, which have no step yet. */
  fresh: string[];
  /** Scopes that are in it and stay, of almost any age. */
  held: string[];
  close(): Promise<void>;
}

/** What a ledger is asked, with how long each took, in milliseconds. */
export type Times = Record<string, number[]>;

/** Not of the oldest fifth, of which some are cleaned away while others are read. */
const SCOPES = `
SELECT scope FROM (
  SELECT scope, percent_rank() OVER (ORDER BY created_at) AS age
  FROM agent_once.steps WHERE step = 't1.model'
) AS runs WHERE age > 0.2 ORDER BY random() LIMIT $1`;

/** @param runs how many runs will be written, and how many are read */
export async function openMeasured(url: string, runs: number): Promise<MeasuredLedger> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ scope: string }>(SCOPES, [runs]),
  );
  const ledger = await openLedger(url);
  const reader = await openLedgerReader(url);
  const lease = randomUUID();
  const renew = () => ledger.leases?.renew(lease, 60_000);
  await renew();
  const renewing = setInterval(() => void renew()?.catch(() => undefined), 1_000);
  return {
    url,
    ledger,
    reader,
    lease,
    // As Temporal makes the IDs of executions: they begin with the time.
    fresh: Array.from({ length: runs }, () => timeOrderedUuid()),
    held: rows.map(({ scope }) => scope),
    async close() {
      clearInterval(renewing);
      await Promise.all([ledger.close(), reader.close()]);
    },
  };
}

/** A UUID of version 7. */
export function timeOrderedUuid(now = Date.now()): string {
  const time = now.toString(16).padStart(12, '0');
  const random = randomUUID();
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15)}`;
}

/** A whole run in a new scope, as a worker writes it. */
export async function writeRun(of: MeasuredLedger, times: Times): Promise<void> {
  const scope = of.fresh.pop();
  if (scope === undefined) throw new Error('No new scope is left');
  for (let turn = 1; turn <= TURNS; turn += 1) {
    if (turn > 1) await time(times, "a turn's read", () => of.ledger.earlier(scope, turn));
    const call = toolStep(turn, 0);
    const request = { order: 1042 };
    const digest = digestOf(call);
    await time(times, 'claim + record', async () => {
      const claim = await claimed(of, claimOf(of, scope, modelStep(turn), turn));
      const planned: PlannedStep[] = [
        { step: call, turn, tool: 'read_order', effect: 'read', digest, request },
      ];
      const usage = { inputTokens: 1_200, outputTokens: 120, costUsd: 0.0012 };
      await recorded(of, claim, { result: { text: 'm'.repeat(640) }, usage, planned });
    });
    await time(times, 'claim + record', async () => {
      const claim = await claimed(of, claimOf(of, scope, call, turn));
      await recorded(of, claim, { result: { text: 't'.repeat(288) } });
    });
  }
}

/** What `explain` asks of a run. */
export async function explainRun(
  { reader }: MeasuredLedger,
  scope: string,
  what: string,
  times: Times,
): Promise<void> {
  await time(times, what, async () => {
    const [steps] = await Promise.all([reader.steps(scope), reader.questions(scope)]);
    if (steps.length !== 2 * TURNS) throw new Error(`${scope} has ${steps.length} steps`);
    await reader.sharing?.(steps.map(({ step }) => `${scope}:${step}`));
  });
}

export async function time<T>(times: Times, what: string, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const result = await work();
  (times[what] ??= []).push(performance.now() - begun);
  return result;
}

function claimOf(of: MeasuredLedger, scope: string, step: string, turn: number): StepClaim {
  const isModel = step === modelStep(turn);
  return {
    scope,
    step,
    turn,
    kind: isModel ? 'model' : 'tool',
    name: isModel ? 'gpt-5.1' : 'read_order',
    effect: isModel ? null : 'read',
    digest: digestOf(step),
    ...(isModel ? { request: turn === 1 ? [{ role: 'user', content: 'Order 1042?' }] : [] } : {}),
    nonce: randomUUID(),
    leaseMs: 4_000,
    lease: { id: of.lease, holdMs: 300_000 },
    maximumAttempts: 5,
    workflowId: `agent-support-${scope}`,
    runId: scope,
    worker: '4711@worker-1',
    ...(isModel && turn > 1
      ? { seen: { previous: { step: modelStep(turn - 1), digest: digestOf(modelStep(turn - 1)) } } }
      : {}),
  };
}

async function claimed({ ledger }: MeasuredLedger, step: StepClaim) {
  const answer = await ledger.claim(step);
  if (answer.state !== 'claimed') throw new Error(`${step.step} is ${answer.state}`);
  return answer.claim;
}

async function recorded(
  { ledger }: MeasuredLedger,
  ...what: Parameters<Ledger['complete']>
): Promise<void> {
  const state = await ledger.complete(...what);
  if (state !== 'recorded') throw new Error(`A step that was claimed is ${state}`);
}

function digestOf(step: string): string {
  return createHash('sha256').update(step).digest('hex');
}
