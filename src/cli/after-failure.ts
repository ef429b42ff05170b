import type { RunRef, RunView } from '../client/types.ts';
import type { ExplainedStep, SentRequest } from '../explain/explanation.ts';
import { commandFor, INPUT_TO_FILL_IN, startCommandFor } from './commands.ts';
import { lookUp } from './effect-words.ts';
import { named } from './name-steps.ts';
import { drawAnswerCommands } from './show-questions.ts';
import { drawTime } from './show-run.ts';
import { MEND_FIRST } from './what-to-mend.ts';
import { wouldRepeat } from './would-repeat.ts';

type Ended = Required<RunRef> & Pick<RunView, 'error' | 'usage' | 'shadow'>;

/** What `explain` knows besides. */
interface Story {
  scope: string;
  steps: ExplainedStep[] | null;
  request: SentRequest | null;
  keyExpiresAt: string | null;
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
    ...(mend === undefined ? [] : [[mend, ...whereToLook(code, story)].join('\n')]),
    resume(run, story),
    forget(run, story),
  ];
}

function resume(run: Ended, story: Story | undefined): string {
  const turns = 2 * Math.max(1, run.usage?.turns ?? 1);
  const limit = run.error?.code === 'run.turn_limit' ? [`--max-turns ${turns}`] : [];
  const command = commandFor('resume', run, limit);
  if (!story) return `Resume it; what is recorded does not run again: ${command}`;
  const steps = story.steps ?? [];
  const before =
    story.keyExpiresAt === null
      ? ''
      : `, before ${drawTime(story.keyExpiresAt)} (later it cannot be, and a start makes a NEW run)`;
  const of = (...states: ExplainedStep['state'][]) =>
    steps.filter(({ state }) => states.includes(state));
  return [
    `Resume it${before}.`,
    ...(story.steps ? [] : ['What is recorded does not run again.']),
    ...named('kept, not run again', of('completed')),
    ...named('run again', of('failed', 'claimed')),
    ...named('a person is asked first', of('unknown')),
    ...named('run for the first time', of('planned')),
    ...(story.request ? [`$ ${command}`] : bringInput(run, limit)),
    ...of('unknown').flatMap((step) => thenSay(run, step)),
  ].join('\n');
}

/** Where Temporal cannot tell what was asked for. */
function bringInput(run: Ended, limit: readonly string[]): string[] {
  const input = `${run.shadow ? '--shadow ' : ''}--input '${INPUT_TO_FILL_IN.same}'`;
  return [
    'Its request cannot be read here: send the same input again (another is refused).',
    `$ ${startCommandFor(run, ['--retry-failed', ...limit], input)}`,
  ];
}

/** How the resumed run is told what became of a step. */
function thenSay(run: Ended, { id }: ExplainedStep): string[] {
  return [
    `Then it waits for a person (${commandFor('status', run)}), who says what became of ${id}:`,
    ...drawAnswerCommands(run, { kind: 'outcome', step: id }),
  ];
}

/** By what each effect that is in doubt is found. */
function whereToLook(code: string | undefined, story: Story | undefined): string[] {
  if (code !== 'step.outcome_unknown') return [];
  const unknown = (story?.steps ?? []).filter(({ state }) => state === 'unknown');
  return unknown.flatMap(({ id, token }) => lookUp(id, token));
}

/** Why forgetting a key is no way to try again. */
function forget(run: Ended, story: Story | undefined): string {
  const command = commandFor('forget', run);
  if (!story) {
    const again = run.shadow ? '' : ', which makes every effect again';
    return `Not a retry: after this, a start makes a NEW run${again}: ${command}`;
  }
  return [
    'Not a retry: forget makes the key free, and the next start makes a NEW run with new tokens.',
    ...wouldRepeat(story),
    `$ ${command}`,
  ].join('\n');
}
