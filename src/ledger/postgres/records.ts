import { decodePayload, sealing } from '../payload.ts';
import type { Ledger } from '../port.ts';
import type { HeldStep } from '../reader.ts';
import type { StepError } from '../records.ts';
import { readError } from '../step-errors.ts';
import type { Database } from './database.ts';

const RECORD = `
SELECT s.scope, s.step, s.turn, s.kind, s.name, s.effect, s.digest, s.state, s.request,
  s.asked_digest, s.asked_request, s.result, s.result_bytes, s.known_by, s.shared_with, s.fence, s.attempts, s.unknown_attempts, s.round,
  s.unusable_answers, s.asking, s.errors, s.input_tokens, s.output_tokens, s.cost_usd, s.workflow_id,
  s.run_id, s.worker, s.claimed_at, s.ended_at`;

/** By turn; the model's step before its calls, and those by their number: c9 before c10. */
const IN_ORDER = `ORDER BY s.turn, s.kind <> 'model', length(s.step), s.step COLLATE "C"`;

const STEP = `${RECORD} FROM agent_once.steps AS s WHERE s.scope = $1 AND s.step = $2`;

const STEPS = `${RECORD} FROM agent_once.steps AS s WHERE s.scope = $1 ${IN_ORDER}`;

const HELD_STEPS = `${RECORD}, s.run_attempts,
  CASE WHEN s.state = 'claimed'
    THEN extract(epoch FROM agent_once.held_until(s.lease_until, s.lease) - clock_timestamp())::double precision * 1000
  END AS lease_left_ms
FROM agent_once.steps AS s WHERE s.scope = $1 ${IN_ORDER}`;

const EARLIER = `
SELECT s.step, s.state, s.digest, s.request, s.result, s.nonce,
  s.asked_digest IS NOT NULL AS edited
FROM agent_once.steps AS s
WHERE s.scope = $1 AND s.turn < $2 AND s.turn >= $3 ${IN_ORDER}`;

/** `bigint` arrives as text. These are numbers to the port; a fence is text there too. */
const COUNTS = ['input_tokens', 'output_tokens'];

/** Names of columns as the port has them: a claim has thirty, and each step two of such rows. */
const portNames = new Map<string, string>();

function portName(column: string): string {
  let name = portNames.get(column);
  if (name === undefined) {
    name = column.replaceAll(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
    portNames.set(column, name);
  }
  return name;
}

/** A row as the port has it: other names, times as text, payloads decoded. */
export async function toPort<T>(row: object): Promise<T> {
  const port: Record<string, unknown> = {};
  for (const [column, value] of Object.entries(row) as [string, unknown][]) {
    port[portName(column)] = Buffer.isBuffer(value)
      ? await decodePayload(value)
      : plainToPort(column, value);
  }
  return port as T;
}

function plainToPort(column: string, value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (column === 'errors') return (value as StepError[]).map(readError);
  if (column === 'comment' && value !== null) return sealing.sealer().openText(value as string);
  return value !== null && COUNTS.includes(column) ? Number(value) : value;
}

/** Asks, and has the rows as the port has them. */
export async function readRows<T>(
  database: Database,
  text: string,
  values: readonly unknown[] = [],
): Promise<T[]> {
  const rows = await database.query(text, values);
  return Promise.all(rows.map((row) => toPort<T>(row)));
}

export function records(database: Database): Pick<Ledger, 'step' | 'steps' | 'earlier'> {
  return {
    step: async (scope, step) => (await readRows<never>(database, STEP, [scope, step]))[0],
    steps: (scope) => readRows(database, STEPS, [scope]),
    earlier: (scope, beforeTurn, fromTurn = 1) =>
      readRows(database, EARLIER, [scope, beforeTurn, fromTurn]),
  };
}

export function readHeldSteps(database: Database, scope: string): Promise<HeldStep[]> {
  return readRows(database, HELD_STEPS, [scope]);
}
