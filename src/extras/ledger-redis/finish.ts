import { encodePayload } from '../../ledger/payload.ts';
import type { Ledger, Recorded, StepError } from '../../ledger/port.ts';
import { plainError } from '../../ledger/step-errors.ts';
import type { Argument, Connection } from './connection.ts';
import { keys } from './keys.ts';
import { loadScript, type Script } from './script.ts';

const COMPLETE = loadScript('complete');
const FAIL = loadScript('fail');
const END_UNKNOWN = loadScript('end-unknown');
const NOTE = loadScript('note');

export function endings(
  connection: Connection,
): Pick<Ledger, 'complete' | 'fail' | 'endUnknown' | 'note'> {
  const changes = async (script: Script, key: string, ...args: Argument[]): Promise<boolean> =>
    (await connection.run(script, [key], args)) === 1;
  return {
    async complete({ scope, step, fence }, completion) {
      const { usage, knownBy, sharedWith, planned = [] } = completion;
      const { data, bytes } = await encodePayload(completion.result);
      const calls = await Promise.all(
        planned.map(async (call) => {
          const request = await encodePayload(call.request);
          return [call.step, call.turn, call.tool, call.effect, call.digest, request.data];
        }),
      );
      const used = [usage?.inputTokens ?? '', usage?.outputTokens ?? '', usage?.costUsd ?? ''];
      const answer = await connection.run(
        COMPLETE,
        [
          keys.step(scope, step),
          keys.index(scope),
          ...planned.map((call) => keys.step(scope, call.step)),
        ],
        [fence, data, bytes, ...used, knownBy ?? '', sharedWith ?? '', ...calls.flat()],
      );
      return String(answer) as Recorded;
    },
    fail({ scope, step, fence }, error, { counted = true, answered } = {}) {
      const { round = '', usage } = answered ?? {};
      const used = [usage?.inputTokens ?? '', usage?.outputTokens ?? '', usage?.costUsd ?? ''];
      const args = [fence, toJson(error), counted ? 1 : 0, round, ...used];
      return changes(FAIL, keys.step(scope, step), ...args);
    },
    endUnknown: ({ scope, step, fence }, error) =>
      changes(END_UNKNOWN, keys.step(scope, step), fence, toJson(error)),
    async note(scope, step, error) {
      await changes(NOTE, keys.step(scope, step), toJson(error));
    },
  };
}

function toJson(error: StepError): string {
  return JSON.stringify(plainError(error));
}
