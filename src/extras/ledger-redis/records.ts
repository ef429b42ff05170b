import type { Asking } from '../../contract/asking.ts';
import type { Effect } from '../../contract/step.ts';
import { decodePayload } from '../../ledger/payload.ts';
import type {
  Ledger,
  RecordedKnowledge,
  StepError,
  StepRecord,
  StepState,
} from '../../ledger/port.ts';
import type { HeldStep } from '../../ledger/reader.ts';
import { readError } from '../../ledger/step-errors.ts';
import { list, pairs, type Connection, type Reply } from './connection.ts';
import { keys } from './keys.ts';
import { loadScript } from './script.ts';

const STEPS = loadScript('steps');

/** A hash as the server answers with it; a field that is not there is `undefined`. */
export class Row {
  readonly #fields = new Map<string, Buffer>();

  /** @param reply names and values by turns */
  constructor(reply: Reply | undefined) {
    for (const [name, value] of pairs(reply)) {
      if (Buffer.isBuffer(value)) this.#fields.set(String(name), value);
    }
  }

  get isEmpty(): boolean {
    return this.#fields.size === 0;
  }

  bytes(name: string): Buffer | null {
    return this.#fields.get(name) ?? null;
  }

  text(name: string): string | null {
    return this.#fields.get(name)?.toString('utf8') ?? null;
  }

  number(name: string): number | null {
    const text = this.text(name);
    return text === null ? null : Number(text);
  }

  /** ISO 8601. */
  time(name: string): string | null {
    return isoTime(this.text(name));
  }
}

/** @param stamp milliseconds since 1970, as the scripts write times */
export function isoTime(stamp: string | null | undefined): string | null {
  return stamp ? new Date(Number(stamp)).toISOString() : null;
}

/** @param leaseLeftMs see `HeldStep` */
export async function toHeldStep(
  scope: string,
  row: Row,
  leaseLeftMs: number | null,
): Promise<HeldStep> {
  const runAttempts = row.number('run_attempts') ?? 0;
  return { ...(await toRecord(scope, row)), leaseLeftMs, runAttempts };
}

async function toRecord(scope: string, row: Row): Promise<StepRecord> {
  const request = row.bytes('request');
  const result = row.bytes('result');
  const asked = row.bytes('asked_request');
  return {
    scope,
    step: row.text('step') ?? '',
    turn: row.number('turn') ?? 0,
    kind: row.text('kind') as 'model' | 'tool',
    name: row.text('name') ?? '',
    effect: row.text('effect') as Effect | null,
    digest: row.text('digest') ?? '',
    state: row.text('state') as StepState,
    request: request && (await decodePayload(request)),
    askedDigest: row.text('asked_digest'),
    askedRequest: asked && (await decodePayload(asked)),
    result: result && (await decodePayload(result)),
    resultBytes: row.number('result_bytes'),
    knownBy: row.text('known_by') as RecordedKnowledge | null,
    sharedWith: row.text('shared_with'),
    fence: row.text('fence') ?? '0',
    attempts: row.number('attempts') ?? 0,
    unknownAttempts: row.number('unknown_attempts') ?? 0,
    round: row.number('round') ?? 0,
    unusableAnswers: row.number('unusable_answers') ?? 0,
    asking: JSON.parse(row.text('asking') ?? 'null') as Asking | null,
    errors: (JSON.parse(row.text('errors') ?? '[]') as StepError[]).map(readError),
    inputTokens: row.number('input_tokens'),
    outputTokens: row.number('output_tokens'),
    costUsd: row.number('cost_usd'),
    workflowId: row.text('workflow_id') ?? '',
    runId: row.text('run_id') ?? '',
    worker: row.text('worker'),
    claimedAt: row.time('claimed_at'),
    endedAt: row.time('ended_at'),
  };
}

export function records(connection: Connection): Pick<Ledger, 'step' | 'steps' | 'earlier'> {
  return {
    async step(scope, step) {
      const row = new Row(await connection.command(['HGETALL', keys.step(scope, step)]));
      return row.isEmpty ? undefined : toRecord(scope, row);
    },
    async steps(scope) {
      const steps = await readHeldSteps(connection, scope);
      return steps.map(({ leaseLeftMs: _left, runAttempts: _attempts, ...step }) => step);
    },
    async earlier(scope, beforeTurn, fromTurn = 1) {
      const steps = await readHeldSteps(connection, scope, beforeTurn);
      const wanted = steps.filter(({ turn }) => turn >= fromTurn);
      return wanted.map(({ step, state, digest, request, result, askedDigest }) => {
        return { step, state, digest, request, result, edited: askedDigest !== null };
      });
    },
  };
}

/** By turn; the model's step before its calls, and those by their number: c9 before c10. */
export async function readHeldSteps(
  connection: Connection,
  scope: string,
  beforeTurn?: number,
): Promise<HeldStep[]> {
  const args = [keys.stepPrefix(scope), beforeTurn ?? ''];
  const [now, ...replies] = list(await connection.run(STEPS, [keys.index(scope)], args));
  const steps = replies.map((reply) => {
    const row = new Row(reply);
    const until = row.text('state') === 'claimed' ? row.number('lease_until') : null;
    return toHeldStep(scope, row, until === null ? null : until - Number(String(now)));
  });
  return (await Promise.all(steps)).sort(inOrder);
}

function inOrder(a: StepRecord, b: StepRecord): number {
  return (
    a.turn - b.turn ||
    Number(a.kind !== 'model') - Number(b.kind !== 'model') ||
    a.step.length - b.step.length ||
    (a.step < b.step ? -1 : 1)
  );
}
