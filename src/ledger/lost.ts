import type { StepError } from './port.ts';

/** What a step's row says of an attempt that its ledger has lost. */
export const LOST: StepError = {
  code: 'ledger.restored',
  message:
    'The ledger was restored to an earlier state. It may have lost an attempt of this step, and that attempt may have had its effect.',
};
