import { randomUUID } from 'node:crypto';
import { LOST } from '../../ledger/lost.ts';
import { encodePayload } from '../../ledger/payload.ts';
import type { Claim, ClaimAnswer, Lack, StepClaim } from '../../ledger/port.ts';
import { spentOn } from '../../ledger/spent.ts';
import type { Connection } from './connection.ts';
import { keys } from './keys.ts';
import { Row, toRecord, usageOf } from './records.ts';
import { loadScript } from './script.ts';

const CLAIM = loadScript('claim');
const RENEW = loadScript('renew');

/** One round trip; see `Ledger.claim`. */
export async function claimStep(connection: Connection, step: StepClaim): Promise<ClaimAnswer> {
  const request = step.request === undefined ? undefined : await encodePayload(step.request);
  const { ledger, row, done, fence, previous } = step.seen ?? {};
  const reply = await connection.run(
    CLAIM,
    [
      keys.step(step.scope, step.step),
      keys.index(step.scope),
      keys.retired(step.scope),
      keys.identity,
      keys.step(step.scope, previous?.step ?? ''),
    ],
    [
      step.step,
      step.turn,
      step.kind,
      step.name,
      step.effect ?? '',
      step.digest,
      step.nonce,
      step.leaseMs,
      request?.data ?? '',
      step.workflowId,
      step.runId,
      step.worker,
      step.maximumAttempts,
      ledger ?? '',
      row === true ? '1' : '',
      fence ?? '',
      previous?.digest ?? '',
      randomUUID(),
      JSON.stringify(LOST),
      done === true ? '1' : '',
    ],
  );
  const [answer, second, fields, here] = Array.isArray(reply) ? reply : [];
  const said = String(answer);
  if (said === 'restored' || said === 'accepted') {
    const lacks = String(second) as Lack;
    return { state: 'restored', lacks, ledger: String(here), accepted: said === 'accepted' };
  }
  return toAnswer(said, Number(String(second)), new Row(fields), step, String(here));
}

/** See `Ledger.renew`. */
export async function renewClaim(
  connection: Connection,
  { scope, step, fence, leaseMs }: Claim,
): Promise<boolean> {
  return (await connection.run(RENEW, [keys.step(scope, step)], [fence, leaseMs])) === 1;
}

async function toAnswer(
  answer: string,
  leftMs: number,
  row: Row,
  step: StepClaim,
  ledger: string,
): Promise<ClaimAnswer> {
  switch (answer) {
    case 'claimed': {
      const record = await toRecord(step.scope, row);
      const { request, unknownAttempts, attempts, fence, round } = record;
      const attempt = row.number('run_attempts') ?? 0;
      return {
        state: 'claimed',
        claim: { scope: step.scope, step: step.step, fence, leaseMs: step.leaseMs },
        attempt,
        last: attempt >= step.maximumAttempts,
        attempts,
        unknownAttempts,
        request,
        round,
        spent: spentOn(record.unusableAnswers, record),
        ledger,
      };
    }
    case 'completed':
      return { state: 'completed', record: await toRecord(step.scope, row), ledger };
    case 'busy':
      return {
        state: 'busy',
        retryAfterMs: Math.max(1, Math.ceil(leftMs)),
        worker: row.text('worker') ?? '',
      };
    case 'superseded':
    case 'diverged':
      return { state: answer };
    case 'exhausted':
      return {
        state: 'exhausted',
        attempts: row.number('run_attempts') ?? 0,
        error: row.errors().at(-1) ?? null,
        spent: spentOn(row.number('unusable_answers') ?? 0, usageOf(row)),
      };
    case 'unknown':
      return {
        state: 'unknown',
        attempt: {
          fence: row.text('fence') ?? '0',
          worker: row.text('worker') ?? '',
          claimedAt: row.time('claimed_at') ?? '',
          // An attempt that threw has an end; one that died has none.
          error: row.time('ended_at') === null ? null : (row.errors().at(-1) ?? null),
        },
      };
    default:
      throw new Error(`The script of a claim answered with "${answer}".`);
  }
}
