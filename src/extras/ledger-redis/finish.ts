import { encodePayload } from '../../ledger/payload.ts';
import type { Asking } from '../../contract/asking.ts';
import type { Ledger, Recorded, StepError } from '../../ledger/port.ts';
import { keptError } from '../../ledger/step-errors.ts';
import type { Argument, Connection } from './connection.ts';
import { keys } from './keys.ts';
import { loadScript, type Script } from './script.ts';

const COMPLETE = loadScript('complete');
const KEEP_ASKING = loadScript('keep-asking');
const FAIL = loadScript('fail');
const END_UNKNOWN = loadScript('end-unknown');
const NOTE = loadScript('note');

export function endings(
  connection: Connection,
): Pick<Ledger, 'keepAsking' | 'complete' | 'fail' | 'endUnknown' | 'note'> {
  const changes = async (script: Script, key: string, ...args: Argument[]): Promise<boolean> =>
    (await connection.run(script, [key], args)) === 1;
  return {
    keepAsking: ({ scope, step, fence }, asking) =>
      changes(KEEP_ASKING, keys.step(scope, step), fence, ...askingFields(asking)),
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
    fail({ scope, step, fence }, error, { counted = true, once = false, answered, asking } = {}) {
      const { round = '', usage } = answered ?? {};
      const used = [usage?.inputTokens ?? '', usage?.outputTokens ?? '', usage?.costUsd ?? ''];
      const args = [
        fence,
        toJson(error),
        counted ? 1 : 0,
        round,
        ...used,
        ...askingFields(asking),
        once ? 1 : 0,
      ];
      return changes(FAIL, keys.step(scope, step), ...args);
    },
    endUnknown: ({ scope, step, fence }, error) =>
      changes(END_UNKNOWN, keys.step(scope, step), fence, toJson(error)),
    async note(scope, step, error) {
      await changes(NOTE, keys.step(scope, step), toJson(error));
    },
  };
}

/** The whole, and whether a response is pending in it: scripts read no JSON. */
function askingFields(asking: Asking | undefined): [string, string] {
  if (asking === undefined) return ['', ''];
  return [JSON.stringify(asking), asking.pending ? '1' : ''];
}

function toJson(error: StepError): string {
  return JSON.stringify(keptError(error));
}
