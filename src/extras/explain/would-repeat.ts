import { isShadow } from '../../contract/step.ts';
import type { Explanation } from './explanation.ts';
import { named } from './name-steps.ts';

/** What a new run would do a second time. */
export function wouldRepeat({ steps, scope }: Pick<Explanation, 'steps' | 'scope'>): string[] {
  if (isShadow(scope)) return ['This one was a shadow run: it made no effect.'];
  if (!steps) return ['Every effect would be made AGAIN.'];
  const maybe = steps.filter(({ happened }) => happened === 'maybe');
  return [
    ...named(
      'would be made AGAIN',
      steps.filter(({ happened }) => happened === 'yes'),
    ),
    ...named('may have happened, and would be made AGAIN', maybe),
    ...(maybe.length > 0 ? ['Do not, unless it is certain that it did NOT happen.'] : []),
  ];
}
