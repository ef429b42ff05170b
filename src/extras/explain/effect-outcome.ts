import { isShadow } from '../../contract/step.ts';
import type { HeldStep } from '../../ledger/reader.ts';
import type { Happened } from './explanation.ts';

type Outcome = Pick<HeldStep, 'effect' | 'state' | 'knownBy' | 'scope'>;

/**
 * Whether a step's effect happened, as far as its record tells. An error alone does not: a request
 * may have been served, and its answer lost.
 */
export function whetherHappened({ effect, state, knownBy, scope }: Outcome): Happened | null {
  if (effect === null || effect === 'read') return null;
  if (isShadow(scope)) return 'no';
  switch (state) {
    case 'completed':
      return knownBy === 'shadow' ? 'no' : 'yes';
    case 'planned':
      return 'no';
    case 'failed':
      // It was rolled back; an at-most-once tool fails only when it is certain that nothing happened.
      return effect === 'transactional' || effect === 'at-most-once' ? 'no' : 'maybe';
    case 'claimed':
    case 'unknown':
      return 'maybe';
  }
}
