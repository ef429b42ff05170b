import { describe, expect, test } from '@jest/globals';
import { sealing } from '../../../ledger/payload.ts';
import type { Ledger } from '../../../ledger/port.ts';
import { again, claimed, granted, plannedStep, stepClaim } from '../../../../test/ledger/steps.ts';
import { readKeys } from '../keys.ts';
import { createSealer } from '../sealer.ts';
import { keyOf, withKeys } from './keys-of-tests.ts';

/** From now on this process encrypts with the first of these keys. */
function useKeys(...entries: string[]): void {
  const before = process.env['AGENT_ONCE_ENCRYPTION_KEYS'];
  Object.assign(process.env, withKeys(...entries));
  const sealer = createSealer(readKeys());
  sealing.sealer = () => sealer;
  if (before === undefined) delete process.env['AGENT_ONCE_ENCRYPTION_KEYS'];
  else process.env['AGENT_ONCE_ENCRYPTION_KEYS'] = before;
}

const unreadable = expect.objectContaining({ code: 'payload.unreadable' });

/** What holds of a ledger of any kind whose rows another key has encrypted. */
export function describeWrongKey(kind: string, open: () => Ledger): void {
  describe(`a worker with the wrong key, on ${kind}`, () => {
    test.each(['at-most-once', 'keyed'] as const)(
      'loses nothing of a step that is %s: who has the key claims it as if nothing was',
      async (effect) => {
        const ledger = open();
        useKeys(keyOf('right'));
        const model = stepClaim({ step: 't1.model', kind: 'model', effect: null });
        const planned = plannedStep(0, { effect });
        await ledger.complete(await claimed(ledger, model), { result: 'said', planned: [planned] });
        const { scope } = model;
        const call = { scope, step: planned.step, effect, maximumAttempts: 1, leaseMs: 60_000 };

        useKeys(keyOf('wrong'));
        for (const worker of ['first', 'second']) {
          await expect(ledger.claim(stepClaim({ ...call, worker }))).rejects.toEqual(unreadable);
        }
        await expect(ledger.claim(again(model))).rejects.toEqual(unreadable);
        await expect(ledger.steps(scope)).rejects.toEqual(unreadable);

        // The new key is the first one by now.
        useKeys(keyOf('new'), keyOf('right'));
        expect(granted(await ledger.claim(stepClaim(call)))).toMatchObject({
          attempt: 1,
          unknownAttempts: 0,
          request: planned.request,
        });
        expect(await ledger.claim(again(model))).toMatchObject({
          state: 'completed',
          record: { result: 'said' },
        });
        expect((await ledger.step(scope, planned.step))?.errors).toEqual([
          expect.objectContaining({
            code: 'payload.unreadable',
            message: expect.stringMatching(/^The worker does not have the key/),
          }),
        ]);
      },
    );
  });
}
