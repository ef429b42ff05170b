import { DECISION_WORDS, QUESTION_WORDS } from '../../contract/decision-words.ts';
import { THE_DEADLINE } from '../../contract/decision.ts';
import type {
  CallNotRun,
  EditedArguments,
  ExplainedQuestion,
  ExplainedStep,
  Explanation,
  Sharing,
} from './explanation.ts';
import { EFFECTS } from '../../contract/step.ts';
import { drawEffect, MEANS } from './effect-words.ts';
import type { coloursOf } from '../../cli/output.ts';
import { printable, shortened } from '../../cli/output.ts';
import {
  drawClock,
  drawCost,
  drawDuration,
  drawSpent,
  drawTime,
  titleOf,
} from '../../cli/show-run.ts';
import { drawState } from './step-state.ts';

type Colours = ReturnType<typeof coloursOf>;
type Story = Pick<Explanation, 'status' | 'executions' | 'scope' | 'questions'>;

const DONE = 'done: it succeeded and is recorded, and this run does not repeat it';

/** Longest text of an attempt's error: there may be many, and `--json` has all of each. */
const ERROR_SHOWN = 600;

/** Under a step's name. */
const INDENT = ' '.repeat(10);

/** The steps in their order, by turns; what there is to say of one is indented under it. */
export function drawTurns(
  colours: Colours,
  steps: readonly ExplainedStep[],
  story: Story,
): string[] {
  if (steps.length === 0) return ['none was begun'];
  const turns = [...new Set(steps.map(({ turn }) => turn))];
  const workers = new Set(steps.flatMap(({ worker }) => worker ?? []));
  return [
    ...turns.flatMap((turn) => [
      `turn ${turn}`,
      ...steps
        .filter((step) => step.turn === turn)
        .flatMap((step) => drawStep(colours, step, story, workers.size > 1))
        .map((line) => `  ${line}`),
    ]),
    ...(workers.size === 1 ? [drawWorker([...workers].join(), steps)] : []),
    ...drawLegend(steps).map((line) => colours.dim(line)),
  ];
}

/** A step in lines: what it is and how it stands, then what there is to say of it, indented. */
export function drawStep(
  colours: Colours,
  step: ExplainedStep,
  story: Story,
  nameWorker: boolean,
): string[] {
  const { id, model, answeredBy, effect, attempts, durationMs, usage, worker, endedAt } = step;
  const head = [
    printable(titleOf(step)),
    effect,
    drawState(colours, step, story),
    endedAt && drawClock(endedAt),
    durationMs !== null && drawDuration(durationMs),
    nameWorker && worker && step.state !== 'claimed' && `on ${printable(worker)}`,
    step.repeats.length > 0 && colours.yellow('made again'),
  ];
  const second = [
    attempts > 1 && drawAttempts(step, story),
    model && printable(model),
    answeredBy && `answered by ${printable(answeredBy)}`,
    usage && drawSpent(usage),
    step.unusableAnswers > 0 && drawUnusable(step),
    step.possiblyPaidTwice && colours.yellow('possibly paid twice'),
  ];
  const more = [
    ...(second.some(Boolean) ? [join(second)] : []),
    ...(step.sharing ? [drawSharing(step, step.sharing)] : []),
    ...step.notRun.map(drawNotRun),
    ...drawErrors(step),
    ...drawAnswers(step.id, story.questions),
    ...(step.edited ? drawEdited(step.edited) : []),
    ...drawEffect(step),
  ];
  return [`${id.padEnd(8)}  ${join(head)}`, ...more.map((line) => INDENT + line)];
}

/** All attempts, and how many of them the last execution made. */
function drawAttempts({ attempts, lastAttempts, executedIn }: ExplainedStep, story: Story): string {
  const all = `${attempts} attempts`;
  const at = story.executions.findIndex(({ runId }) => runId === executedIn);
  if (at <= 0 || lastAttempts === 0 || lastAttempts >= attempts) return all;
  return `${all}, ${lastAttempts} of them by execution ${at + 1}`;
}

function drawEdited({ asked, approved, by }: EditedArguments): string[] {
  const show = (value: unknown): string => shortened(JSON.stringify(value), ERROR_SHOWN);
  return [
    `arguments that the model asked for: ${show(asked)}`,
    `arguments that ${printable(by ?? 'a person')} approved instead: ${show(approved)}`,
  ];
}

/** What was paid for and is no answer. */
function drawUnusable({ unusableAnswers, state }: ExplainedStep): string {
  const which = unusableAnswers === 1 ? '1 unusable answer' : `${unusableAnswers} unusable answers`;
  return state === 'completed' ? `${which} before, counted here` : `${which}, counted here`;
}

function join(facts: readonly (string | false | null | undefined)[]): string {
  return facts.filter((fact) => typeof fact === 'string' && fact !== '').join(' · ');
}

/** Whose result it is, and what part of the cost falls on this step when all of them share it. */
function drawSharing(
  { token, kind }: ExplainedStep,
  { with: maker, steps, costUsd, shareUsd }: Sharing,
): string {
  const shared =
    maker === token ? 'its result serves other steps' : `the result of ${maker}, made there`;
  const count = steps === null ? '' : `; ${steps} steps have it`;
  const paid =
    kind === 'model' && shareUsd !== null
      ? `: ${drawCost(costUsd)} in all, ${drawCost(shareUsd)} each`
      : '';
  return `shared: ${shared}${count}${paid}`;
}

function drawNotRun({ tool, sameAs, reason }: CallNotRun): string {
  return sameAs === null
    ? `refused, not run: ${printable(tool)}; the model was told why: ${printable(reason ?? '')}`
    : `asked for twice, run once: ${printable(tool)}, the same call as ${sameAs}, got the same answer`;
}

/** What its attempts said, oldest first; the same again and again is said once. */
function drawErrors({ errors, state }: ExplainedStep): string[] {
  const said: { line: string; times: number }[] = [];
  for (const { code, message } of errors) {
    const line = `${shortened(message.replace(/^Error: /, ''), ERROR_SHOWN)} (${code})`;
    const last = said.at(-1);
    if (last?.line === line) last.times += 1;
    else said.push({ line, times: 1 });
  }
  const before = state === 'completed' ? 'failed before' : 'failed';
  if (state === 'failed' && said.length === 1 && errors.at(-1)?.code === 'step.cancelled')
    return [];
  return said.map(({ line, times }) =>
    times === 1 ? `${before}: ${line}` : `${before}, ${times} times: ${line}`,
  );
}

/** What people were asked about a step and what they said, a line a question. */
function drawAnswers(id: string, questions: readonly ExplainedQuestion[] | null): string[] {
  return (questions ?? []).filter(({ step }) => step === id).map(drawAnswer);
}

function drawAnswer(question: ExplainedQuestion): string {
  const { kind, askedAt, decision, by, comment, decidedAt, waits, deadline, otherwise, edited } =
    question;
  const asked = `asked at ${drawClock(askedAt)} ${QUESTION_WORDS[kind].asked}`;
  if (waits && deadline !== null && otherwise !== null) {
    return `${asked}: no answer yet; without one, at ${drawTime(deadline)} ${DECISION_WORDS[otherwise].assumes}`;
  }
  if (decision === null) return `${asked}: nobody answered`;
  const at = decidedAt === null ? '' : ` at ${drawClock(decidedAt)}`;
  if (by === THE_DEADLINE)
    return `${asked}: nobody had answered${at}, so ${DECISION_WORDS[decision].assumed}`;
  const why = comment === null || comment === '' ? '' : ` (${printable(comment)})`;
  return `${asked}; answered${at} by ${printable(by ?? 'somebody')}: ${DECISION_WORDS[decision].said}${edited ? ', with other arguments' : ''}${why}`;
}

/** Who ran the steps, where it was one worker. */
function drawWorker(worker: string, steps: readonly ExplainedStep[]): string {
  const last = steps.some(({ attempts }) => attempts > 1) ? ' (of the last attempts)' : '';
  return `worker: ${printable(worker)}${last}`;
}

/** What the words mean that were used. */
function drawLegend(steps: readonly ExplainedStep[]): string[] {
  const tools = steps.some(({ kind }) => kind === 'tool');
  const used = new Set(steps.map(({ effect }) => effect));
  return [
    ...(tools
      ? ['t1.model is the model call of turn 1, t1.c0 the first tool call it asked for']
      : []),
    ...(steps.some(({ state }) => state === 'completed') ? [DONE] : []),
    ...EFFECTS.filter((effect) => used.has(effect)).map((effect) => `${effect}: ${MEANS[effect]}`),
  ];
}
