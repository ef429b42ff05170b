import { moreTurns, resumeCommandFor, type EndedRun } from '../../cli/after-failure.ts';
import type { ExplainedStep, SentRequest } from './explanation.ts';
import { commandFor, INPUT_TO_FILL_IN, startCommandFor } from '../../cli/commands.ts';
import { lookUp } from './effect-words.ts';
import { named } from './name-steps.ts';
import { drawAnswerCommands } from '../../cli/show-questions.ts';
import { drawTime } from '../../cli/show-run.ts';
import { MEND_FIRST } from '../../cli/what-to-mend.ts';
import { wouldRepeat } from './would-repeat.ts';

/** What is known of the run besides its end. */
interface Story {
  scope: string;
  steps: ExplainedStep[] | null;
  request: SentRequest | null;
  keyExpiresAt: string | null;
}

/**
 * How to go on with a run that failed or was cancelled: items of one or more lines; commands to
 * type begin with `$`.
 */
export function waysAfterFailure(run: EndedRun, story: Story): string[] {
  const code = run.error?.code;
  if (code === 'step.superseded') return ['Nothing: a newer run has the key.'];
  const mend = code === undefined ? undefined : MEND_FIRST[code];
  return [
    ...(mend === undefined ? [] : [[mend, ...whereToLook(code, story)].join('\n')]),
    resume(run, story),
    forget(run, story),
  ];
}

function resume(run: EndedRun, story: Story): string {
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
    ...(story.request ? [`$ ${resumeCommandFor(run)}`] : bringInput(run)),
    ...of('unknown').flatMap((step) => thenSay(run, step)),
  ].join('\n');
}

/** Where Temporal cannot tell what was asked for. */
function bringInput(run: EndedRun): string[] {
  const input = `${run.shadow ? '--shadow ' : ''}--input '${INPUT_TO_FILL_IN.same}'`;
  return [
    'Its request cannot be read here: send the same input again (another is refused).',
    `$ ${startCommandFor(run, ['--retry-failed', ...moreTurns(run)], input)}`,
  ];
}

/** How the resumed run is told what became of a step. */
function thenSay(run: EndedRun, { id }: ExplainedStep): string[] {
  return [
    `Then it waits for a person (${commandFor('status', run)}), who says what became of ${id}:`,
    ...drawAnswerCommands(run, { kind: 'outcome', step: id }),
  ];
}

/** By what each effect that is in doubt is found. */
function whereToLook(code: string | undefined, story: Story): string[] {
  if (code !== 'step.outcome_unknown') return [];
  const unknown = (story.steps ?? []).filter(({ state }) => state === 'unknown');
  return unknown.flatMap(({ id, token }) => lookUp(id, token));
}

/** Why forgetting a key is no way to try again. */
function forget(run: EndedRun, story: Story): string {
  return [
    'Not a retry: forget makes the key free, and the next start makes a NEW run with new tokens.',
    ...wouldRepeat(story),
    `$ ${commandFor('forget', run)}`,
  ].join('\n');
}
