import type { RunRef, RunView } from '../client/types.ts';
import type { ExplainedStep, SentRequest } from '../explain/explanation.ts';
import { listSteps } from '../explain/step-title.ts';
import { commandFor, startCommandFor } from './commands.ts';
import { printable } from './output.ts';
import { wordRequest } from './request-words.ts';
import { MEND_FIRST } from './what-to-mend.ts';

type Ended = Required<RunRef> & Pick<RunView, 'error' | 'usage' | 'shadow'>;

/** What `explain` knows besides. */
interface Story {
  steps: readonly ExplainedStep[] | null;
  request: SentRequest | null;
}

/**
 * How to go on with a run that failed or was cancelled: items of one or more lines; commands to
 * type begin with `$`.
 *
 * @param story absent: only the run's end is known, and `explain` is the first thing to type
 */
export function afterFailure(run: Ended, story?: Story): string[] {
  const code = run.error?.code;
  const explain = commandFor('explain', run);
  if (code === 'step.superseded') {
    return [story ? 'Nothing: a newer run has the key.' : `What has its key now: ${explain}`];
  }
  const mend = code === undefined ? undefined : MEND_FIRST[code];
  return [
    ...(story ? [] : [`What happened, and what it cost: ${explain}`]),
    ...(mend === undefined ? [] : [mend]),
    // History and ledger have parted: resuming ends in the same place.
    ...(code === 'step.diverged' ? [] : [resume(run, story)]),
    forget(run, story),
  ];
}

function resume(run: Ended, story: Story | undefined): string {
  const turns = 2 * Math.max(1, run.usage?.turns ?? 1);
  const limit = run.error?.code === 'run.turn_limit' ? ` --max-turns ${turns}` : '';
  const flags = ` --retry-failed${limit}`;
  if (!story) {
    const shadow = run.shadow ? ' --shadow' : '';
    return `Resume it with the same input; what is recorded does not run again: ${startCommandFor(run, `${shadow}${flags}`)}`;
  }
  const { input, before } = wordRequest(story.request, commandFor('explain', run));
  const steps = story.steps ?? [];
  const cancelled =
    run.error?.code === 'run.cancelled' ? ' (--retry-failed is for cancelled runs too)' : '';
  const of = (...states: ExplainedStep['state'][]) =>
    steps.filter(({ state }) => states.includes(state));
  return [
    `Resume it${cancelled}, with the same input (another is refused).`,
    ...(story.steps ? [] : ['What is recorded does not run again.']),
    ...named('kept, not run again', of('completed')),
    ...named('run again', of('failed', 'claimed')),
    ...named('a person is asked first', of('unknown')),
    ...named('run for the first time', of('planned')),
    ...before,
    `$ ${startCommandFor(run, flags, input)}`,
  ].join('\n');
}

/** Why forgetting a key is no way to try again. */
function forget(run: Ended, story: Story | undefined): string {
  const command = commandFor('forget', run);
  if (!story) {
    return `Not a retry: after this, a start makes a NEW run, which makes every effect again: ${command}`;
  }
  return [
    'Not a retry: forget makes the key free, and the next start makes a NEW run with new tokens.',
    ...wouldRepeat(story.steps),
    `$ ${command}`,
  ].join('\n');
}

/** What a new run would do a second time. */
export function wouldRepeat(steps: readonly ExplainedStep[] | null): string[] {
  if (!steps) return ['Every effect would be made AGAIN.'];
  const maybe = steps.filter(({ happened }) => happened === 'maybe');
  return [
    ...named(
      'would be made AGAIN',
      steps.filter(({ happened }) => happened === 'yes'),
    ),
    ...named('may have happened, and would be made AGAIN', maybe),
    ...(maybe.length > 0 ? ['As long as that is not certain: do not.'] : []),
  ];
}

/** A line that names steps; none where there are none. */
export function named(what: string, steps: readonly ExplainedStep[]): string[] {
  return steps.length === 0 ? [] : [`${what}: ${printable(listSteps(steps))}`];
}
