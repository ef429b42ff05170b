import { encodePayload } from '../../ledger/payload.ts';
import { plainError } from '../../ledger/plain-error.ts';
import type { Claim, Completion, FailedAttempt, Recorded, StepError } from '../../ledger/port.ts';
import type { Connection } from './connection.ts';
import { keys } from './keys.ts';
import { loadScript } from './script.ts';

const COMPLETE = loadScript('complete');
const FAIL = loadScript('fail');
const ABANDON = loadScript('abandon');
const NOTE = loadScript('note');

/** One round trip, with the calls it plans; see `Ledger.complete`. */
export async function completeStep(
  connection: Connection,
  { scope, step, fence }: Claim,
  completion: Completion,
): Promise<Recorded> {
  const { usage, knownBy, sharedWith, planned = [] } = completion;
  const result = await encodePayload(completion.result);
  const calls = await Promise.all(
    planned.map(async (call) => {
      const { data } = await encodePayload(call.request);
      return [call.step, call.turn, call.tool, call.effect, call.digest, data];
    }),
  );
  const answer = await connection.run(
    COMPLETE,
    [
      keys.step(scope, step),
      keys.index(scope),
      ...planned.map((call) => keys.step(scope, call.step)),
    ],
    [
      fence,
      result.data,
      result.bytes,
      usage?.inputTokens ?? '',
      usage?.outputTokens ?? '',
      usage?.costUsd ?? '',
      knownBy ?? '',
      sharedWith ?? '',
      ...calls.flat(),
    ],
  );
  return String(answer) as Recorded;
}

/** See `Ledger.fail`. */
export async function failStep(
  connection: Connection,
  { scope, step, fence }: Claim,
  error: StepError,
  { counted = true, answered }: FailedAttempt,
): Promise<boolean> {
  const args = [
    fence,
    toJson(error),
    counted ? 1 : 0,
    answered?.round ?? '',
    answered?.usage?.inputTokens ?? '',
    answered?.usage?.outputTokens ?? '',
    answered?.usage?.costUsd ?? '',
  ];
  return (await connection.run(FAIL, [keys.step(scope, step)], args)) === 1;
}

/** See `Ledger.abandon`. */
export async function abandonStep(
  connection: Connection,
  { scope, step, fence }: Claim,
  error: StepError,
): Promise<boolean> {
  return (await connection.run(ABANDON, [keys.step(scope, step)], [fence, toJson(error)])) === 1;
}

/** See `Ledger.note`. */
export async function noteOnStep(
  connection: Connection,
  scope: string,
  step: string,
  error: StepError,
): Promise<void> {
  await connection.run(NOTE, [keys.step(scope, step)], [toJson(error)]);
}

function toJson(error: StepError): string {
  return JSON.stringify(plainError(error));
}
