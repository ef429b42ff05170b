import { MEND_FIRST } from '../../cli/after-failure.ts';
import {
  commandFor,
  hasCommand,
  INPUT_TO_FILL_IN,
  START_A_WORKER,
  startCommandFor,
} from '../../cli/commands.ts';
import { drawQuestion, drawUnseen, ONE_OF_THESE } from '../../cli/show-questions.ts';
import { drawTime } from '../../cli/show-run.ts';
import { ANSWER_COMMANDS } from '../../contract/decision-words.ts';
import { isShadow } from '../../contract/step.ts';
import { lookUp } from './effect-words.ts';
import type { Explanation, PublicExplanation } from './explanation.ts';
import { lineOf } from './list-steps.ts';
import {
  isOver,
  nextActions,
  type ActionCommand,
  type Fate,
  type NextAction,
} from './next-actions.ts';

/** A next action in words. */
interface ToldAction {
  /** One or more lines. */
  what: string;
  /** To be typed in a shell; `null`: there is none for it. */
  command: string | null;
}

const BECOMES: Record<Exclude<Fate, 'look-up'>, string> = {
  kept: 'kept, not run again',
  'run-again': 'run again',
  'asked-first': 'a person is asked first',
  'run-first-time': 'run for the first time',
  'made-again': 'would be made AGAIN',
  'maybe-made-again': 'may have happened, and would be made AGAIN',
  'stays-done': 'stays done',
  'may-have-happened': 'may have happened',
  'made-twice': 'Made a second time by this run',
};

/** The document of `explain --json`: what is known, and what a person can do, likely first. */
export function withNextActions(explanation: Explanation): Explanation & { next: ToldAction[] } {
  const actions = nextActions(explanation);
  return { ...explanation, next: actions.flatMap((action) => tell(action, explanation)) };
}

/** The same for people: items of one or more lines; commands to type begin with `$`. */
export function nextSteps(explanation: Explanation): string[] {
  const items: string[] = [];
  for (const action of nextActions(explanation)) {
    const lines = tell(action, explanation).flatMap(({ what, command }) =>
      command === null ? [what] : [what, `$ ${command}`],
    );
    if (lines.length === 0) continue;
    // What comes after another action stands below it.
    const before = action.after === null ? [] : items.splice(-1);
    items.push([...before, ...lines].join('\n'));
  }
  return items;
}

/** An action, once for each of its commands that this program has. */
function tell(action: NextAction, explanation: Explanation): ToldAction[] {
  const commands = action.commands.filter(({ name }) => hasCommand(name));
  const [first, ...others] = commands;
  const lines = describeAction(action, explanation);
  // The words about a worker name the command.
  if (action.commands.length === 0 || action.kind === 'start-worker') return [toldAs(lines)];
  if (!first) return action.kind === 'answer' && action.after === null ? [toldAs(lines)] : [];
  const words = action.kind === 'answer' ? [...lines, ONE_OF_THESE, ...whatFor(first)] : lines;
  return [
    toldAs(words, commandOf(first, action, explanation)),
    ...others.map((each) => toldAs(whatFor(each), commandOf(each, action, explanation))),
  ];
}

function toldAs(lines: string[], command: string | null = null): ToldAction {
  return { what: lines.join('\n'), command };
}

function whatFor({ decision }: ActionCommand): string[] {
  const found = Object.values(ANSWER_COMMANDS)
    .flat()
    .find((each) => each.decision === decision);
  return found ? [found.does] : [];
}

function commandOf(
  { name, options }: ActionCommand,
  { kind, step }: NextAction,
  explanation: Explanation,
): string {
  if (name !== 'start') return commandFor(name, explanation, options, step ?? undefined);
  return startCommandFor(
    explanation,
    options,
    INPUT_TO_FILL_IN[kind === 'resume' ? 'same' : 'any'],
  );
}

/** What an action is and means, in lines. */
export function describeAction(action: NextAction, explanation: PublicExplanation): string[] {
  const { status, error, request, steps } = explanation;
  switch (action.kind) {
    case 'nothing':
      return describeNothing(action, explanation);
    case 'result':
      return ['Print the result:'];
    case 'mend':
      return [(error && MEND_FIRST[error.code]) ?? '', ...stepLines(action, explanation)];
    case 'resume':
      return [
        action.until === null
          ? 'Resume it.'
          : `Resume it, before ${drawTime(action.until)} (later it cannot be, and a start makes a NEW run).`,
        ...(steps ? [] : ['What is recorded does not run again.']),
        ...stepLines(action, explanation),
        ...(request
          ? []
          : ['Its request cannot be read here: send the same input again (another is refused).']),
      ];
    case 'answer':
      return describeQuestion(action, explanation);
    case 'forget':
      return [
        'Not a retry: forget makes the key free, and the next start makes a NEW run with new tokens.',
        ...describeRepeats(action, explanation),
      ];
    case 'start':
      return [
        status === 'forgotten'
          ? 'Nothing, unless it is wanted a second time: a start makes a NEW run.'
          : 'The key has expired, so the run cannot be resumed: the next start under it makes a NEW run.',
        ...describeRepeats(action, explanation),
      ];
    case 'start-worker': {
      const why = status === 'waiting' ? ', and one has to take the answers' : '';
      return [`No worker is polling${why}. ${START_A_WORKER}`];
    }
    case 'unpause':
      return ['A step is paused in Temporal: unpause it there, and it goes on.'];
    case 'wait':
      return ['Wait for its end:'];
    case 'cancel':
      return ['Stop it; it can be resumed later.', ...stepLines(action, explanation)];
    case 'status':
      return drawUnseen(explanation.waitingMore);
  }
}

function describeNothing(action: NextAction, explanation: PublicExplanation): string[] {
  const lines = stepLines(action, explanation);
  if (explanation.status === 'failed') return ['Nothing: a newer run has the key.'];
  if (explanation.status === 'cancelled') {
    return ['If it was meant to be cancelled, nothing is left to do.', ...lines];
  }
  const then = isOver(explanation)
    ? '. The key has expired: the next start under it makes a NEW run.'
    : ': the same request under this key gets the stored result.';
  if (lines.length === 0) return [`Nothing is left to do${then}`];
  return [
    ...lines,
    'If that was not wanted: find both by their tokens where they were made, and undo one.',
    `Otherwise nothing is left to do${then}`,
  ];
}

/** A question that waits, with what a person must know; or one that a resumed run will ask. */
function describeQuestion({ step, after }: NextAction, explanation: PublicExplanation): string[] {
  const question = explanation.waiting.find((each) => each.step === step);
  if (after !== null || !question) {
    return [
      `Then it waits for a person (${commandFor('status', explanation)}), who says what became of ${step}:`,
    ];
  }
  const token = explanation.steps?.find(({ id }) => id === step)?.token;
  const where = question.kind === 'approval' ? approvalToken : lookUp;
  return [
    ...drawQuestion(question).map((line) => line.trimStart()),
    ...(token === undefined ? [] : where(question.step, token)),
  ];
}

function approvalToken(_: string, token: string): string[] {
  return [`Its token: ${token}`];
}

/** What a new run would do a second time. */
function describeRepeats(action: NextAction, explanation: PublicExplanation): string[] {
  if (isShadow(explanation.scope)) return ['This one was a shadow run: it made no effect.'];
  if (!explanation.steps) return ['Every effect would be made AGAIN.'];
  const maybe = action.steps.some(({ fate }) => fate === 'maybe-made-again');
  return [
    ...stepLines(action, explanation),
    ...(maybe ? ['Do not, unless it is certain that it did NOT happen.'] : []),
  ];
}

/** What becomes of the steps that an action touches. */
function stepLines({ steps: touched }: NextAction, { steps }: PublicExplanation): string[] {
  return touched.flatMap(({ fate, ids }) => {
    const named = (steps ?? []).filter(({ id }) => ids.includes(id));
    return fate === 'look-up'
      ? named.flatMap(({ id, token }) => lookUp(id, token))
      : lineOf(BECOMES[fate], named);
  });
}
