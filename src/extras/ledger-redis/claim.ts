import { randomUUID } from 'node:crypto';
import { answerClaim, type ClaimDecision } from '../../ledger/claim-answer.ts';
import { encodePayload } from '../../ledger/payload.ts';
import type { Claim, ClaimAnswer, Lack, StepClaim } from '../../ledger/port.ts';
import { LOST, UNREADABLE } from '../../ledger/step-errors.ts';
import { list, type Connection } from './connection.ts';
import { endings } from './finish.ts';
import { keys } from './keys.ts';
import { Row, toHeldStep } from './records.ts';
import { loadScript } from './script.ts';

const CLAIM = loadScript('claim');
const RENEW = loadScript('renew');

/** One round trip; see `Ledger.claim`. */
export async function claimStep(connection: Connection, step: StepClaim): Promise<ClaimAnswer> {
  const request = step.request === undefined ? undefined : await encodePayload(step.request);
  const { ledger = '', row, done, fence = '', previous } = step.seen ?? {};
  const { scope } = step;
  const touched = [
    keys.step(scope, step.step),
    keys.index(scope),
    keys.retired(scope),
    keys.identity,
    keys.step(scope, previous?.step ?? ''),
  ];
  const what = [step.step, step.turn, step.kind, step.name, step.effect ?? '', step.digest];
  const claim = [step.nonce, step.leaseMs, request?.data ?? ''];
  const by = [step.workflowId, step.runId, step.worker, step.maximumAttempts];
  const seen = [ledger, row ? '1' : '', fence, previous?.digest ?? ''];
  const lost = [randomUUID(), JSON.stringify(LOST), done ? '1' : ''];
  const args = [...what, ...claim, ...by, ...seen, ...lost];
  const reply = await connection.run(CLAIM, touched, args);
  const [said, second, fields, here] = list(reply);
  const answer = String(said);
  const id = String(here);
  if (answer === 'restored' || answer === 'accepted') {
    const lacks = String(second) as Lack;
    return { state: 'restored', lacks, ledger: id, accepted: answer === 'accepted' };
  }
  if (answer === 'superseded') return { state: answer };
  const fieldsOf = new Row(fields);
  const met = await toHeldStep(scope, fieldsOf, Number(String(second))).catch(async (error) => {
    // It has not begun: the claim must not end as that of a worker that died.
    if (answer === 'claimed') {
      const claim = { scope, step: step.step, fence: fieldsOf.text('fence') ?? '', leaseMs: 0 };
      await endings(connection).fail(claim, UNREADABLE, { counted: false, once: true });
    }
    throw error;
  });
  return answerClaim(answer as ClaimDecision, met, step, id);
}

/** See `Ledger.renew`. */
export async function renewClaim(
  connection: Connection,
  { scope, step, fence, leaseMs }: Claim,
): Promise<boolean> {
  return (await connection.run(RENEW, [keys.step(scope, step)], [fence, leaseMs])) === 1;
}
