import { MEND_FIRST, moreTurns } from '../../cli/after-failure.ts';
import { ANSWER_COMMANDS } from '../../contract/decision-words.ts';
import type { Decision, QuestionKind } from '../../contract/decision.ts';
import { isShadow } from '../../contract/step.ts';
import type { ExplainedStep, Explanation } from './explanation.ts';

/** What a person can do; `nothing`: it is certain that nothing is left to do. */
export const ACTION_KINDS = [
  'nothing',
  'result',
  /** Correct what made the run fail. */
  'mend',
  'resume',
  'answer',
  'forget',
  'start',
  'start-worker',
  'unpause',
  'wait',
  'cancel',
  /** Ask again when a worker runs: it alone knows all questions. */
  'status',
] as const;
export type ActionKind = (typeof ACTION_KINDS)[number];

/** What an action means for steps. */
export const FATES = [
  'kept',
  'run-again',
  'asked-first',
  'run-first-time',
  'made-again',
  'maybe-made-again',
  'stays-done',
  'may-have-happened',
  'made-twice',
  'look-up',
] as const;
export type Fate = (typeof FATES)[number];

/** A command of `agent-once`; the run, and the step of an answer, are its arguments. */
export interface ActionCommand {
  name: string;
  options: string[];
  /** What it answers; `null` where it is no answer. */
  decision: Decision | null;
}

/** Something that a person can do now, and the facts that this rests on. */
export interface NextAction {
  kind: ActionKind;
  /** Of an answer, one of them is chosen; empty: no command does it. */
  commands: ActionCommand[];
  /** The step that an answer is about. */
  step: string | null;
  /** IDs of the steps that it touches, by what becomes of them. */
  steps: { fate: Fate; ids: string[] }[];
  /** Until when it can be done, as ISO 8601; `null`: not limited, or not known. */
  until: string | null;
  /** The action that has to come first. */
  after: ActionKind | null;
}

type Test = (step: ExplainedStep) => boolean;

/** What a person can do now, most likely first. */
export function nextActions(explanation: Explanation): NextAction[] {
  const { status, steps, live, waiting, waitingMore } = explanation;
  const worker = live?.hasWorker === false ? [act('start-worker', [command('worker')])] : [];
  const stop = act('cancel', [command('cancel')], { steps: whatStays(steps) });
  switch (status) {
    case 'completed': {
      const twice = fates(steps, ['made-twice', ({ repeats }) => repeats.length > 0]);
      return [act('nothing', [], { steps: twice }), act('result', [command('result')])];
    }
    case 'failed':
    case 'cancelled':
      return afterFailure(explanation);
    case 'running':
      return [
        ...worker,
        ...(live?.pending.some(({ state }) => state === 'paused') ? [act('unpause', [])] : []),
        act('wait', [command('result', ['--wait'])]),
        ...(live?.cancelRequested === true ? [] : [stop]),
      ];
    case 'waiting':
      return [
        ...worker,
        ...waiting.map(({ kind, step, deadline }) => answer(kind, step, { until: deadline })),
        ...(waitingMore === undefined ? [] : [act('status', [command('status')])]),
        stop,
      ];
    case 'forgotten':
      return [act('start', [command('start')], { steps: madeAgain(explanation) })];
  }
}

function afterFailure(explanation: Explanation): NextAction[] {
  const { status, steps, error, request, scope, keyExpiresAt } = explanation;
  const code = error?.code;
  if (code === 'step.superseded') return [act('nothing', [])];
  const again = { steps: madeAgain(explanation) };
  if (isOver(explanation)) return [act('start', [], again)];
  const unknown = fates(steps, ['look-up', inState('unknown')]);
  const turns = moreTurns({ error, usage: explanation.usage ?? explanation.reportedUsage });
  const retry = ['--retry-failed', ...turns, ...(isShadow(scope) ? ['--shadow'] : [])];
  return [
    ...(status === 'cancelled' ? [act('nothing', [], { steps: whatStays(steps) })] : []),
    ...(code !== undefined && MEND_FIRST[code] !== undefined
      ? [act('mend', [], { steps: code === 'step.outcome_unknown' ? unknown : [] })]
      : []),
    act('resume', [request ? command('resume', turns) : command('start', retry)], {
      steps: fates(
        steps,
        ['kept', inState('completed')],
        ['run-again', inState('failed', 'claimed')],
        ['asked-first', inState('unknown')],
        ['run-first-time', inState('planned')],
      ),
      until: keyExpiresAt,
    }),
    ...unknown.flatMap(({ ids }) => ids.map((id) => answer('outcome', id, { after: 'resume' }))),
    act('forget', [command('forget')], again),
  ];
}

/** Whether the key's time to live is over. */
export function isOver({ keyExpiresAt }: Pick<Explanation, 'keyExpiresAt'>): boolean {
  return keyExpiresAt !== null && Date.parse(keyExpiresAt) <= Date.now();
}

/** What a new run would do a second time; a shadow run has made nothing. */
function madeAgain({ steps, scope }: Explanation): NextAction['steps'] {
  if (isShadow(scope)) return [];
  return fates(steps, ['made-again', happened('yes')], ['maybe-made-again', happened('maybe')]);
}

function whatStays(steps: Explanation['steps']): NextAction['steps'] {
  return fates(steps, ['stays-done', happened('yes')], ['may-have-happened', happened('maybe')]);
}

function fates(steps: Explanation['steps'], ...tests: [Fate, Test][]): NextAction['steps'] {
  return tests
    .map(([fate, test]) => ({ fate, ids: (steps ?? []).filter(test).map(({ id }) => id) }))
    .filter(({ ids }) => ids.length > 0);
}

function inState(...states: ExplainedStep['state'][]): Test {
  return ({ state }) => states.includes(state);
}

function happened(value: ExplainedStep['happened']): Test {
  return (step) => step.happened === value;
}

function command(name: string, options: readonly string[] = []): ActionCommand {
  return { name, options: [...options], decision: null };
}

function answer(kind: QuestionKind, step: string, more: Partial<NextAction>): NextAction {
  const commands = ANSWER_COMMANDS[kind].map(({ name, options, decision }) => {
    return { ...command(name, options), decision };
  });
  return act('answer', commands, { step, ...more });
}

function act(
  kind: ActionKind,
  commands: ActionCommand[],
  more: Partial<NextAction> = {},
): NextAction {
  return { kind, commands, step: null, steps: [], until: null, after: null, ...more };
}
