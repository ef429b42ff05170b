import { LIMITS } from '../contract/limits.ts';
import { sealing } from './payload.ts';
import type { StepError } from './records.ts';

/** What a step's row says of an attempt that its ledger has lost. */
export const LOST: StepError = {
  code: 'ledger.restored',
  message:
    'The ledger was restored to an earlier state. It may have lost an attempt of this step, and that attempt may have had its effect.',
};

/** What a step's row says of a claim whose worker could not read what the row holds. */
export const UNREADABLE: StepError = {
  code: 'payload.unreadable',
  message: 'The worker does not have the key of what is recorded. The attempt did not begin.',
};

/** What a step's row says of an attempt after a person's answer. */
export function didNotHappen(by: string): StepError {
  return keptError({
    code: 'step.did_not_happen',
    message: `${by} said that this attempt had no effect.`,
  });
}

/**
 * A step's error as every backend can keep it as JSON: PostgreSQL refuses null characters and lone
 * surrogates, Lua the latter; a cut may leave one of those. Statements look at the code.
 */
export function keptError({ code, message, mayBePaid }: StepError): StepError {
  return {
    code: plain(code),
    // Whoever cannot read the row has the wrong key: in that, nobody else could read this.
    message: code === UNREADABLE.code ? message : sealing.sealer().sealText(plain(message)),
    ...(mayBePaid && { mayBePaid }),
  };
}

/** What was kept, as it was. */
export function readError({ message, ...rest }: StepError): StepError {
  return { ...rest, message: sealing.sealer().openText(message) };
}

function plain(text: string): string {
  return text.slice(0, LIMITS.errorBytes).replaceAll('\0', '').toWellFormed();
}
