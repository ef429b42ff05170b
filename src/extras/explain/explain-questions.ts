import type { RunView } from '../../client/types.ts';
import { THE_DEADLINE, type OpenQuestion } from '../../contract/decision.ts';
import type { AskedQuestion } from '../../ledger/port.ts';
import type { ExplainedQuestion, ExplainedStep, Happened } from './explanation.ts';

/** What an execution says of its open questions. */
type Asking = Pick<RunView, 'runId' | 'waiting' | 'waitingMore'>;

/**
 * The questions of a run, those that still wait with what the run shows of them. Where it does not
 * show them all, those wait too that this execution asked and nobody has answered.
 */
export function explainQuestions(
  asked: readonly AskedQuestion[],
  { waiting, waitingMore = 0, runId }: Asking,
): ExplainedQuestion[] {
  return asked.map((question) => {
    const { step, kind, round, askedAt, decision, by, comment, decidedAt, approvedDigest } =
      question;
    const open = decision === null ? waiting.find((each) => isSame(each, question)) : undefined;
    const unseen = waitingMore > 0 && decision === null && question.runId === runId;
    return {
      step,
      kind,
      round,
      askedAt,
      waits: open !== undefined || unseen,
      deadline: open?.deadline ?? null,
      otherwise: open?.otherwise ?? null,
      decision,
      by,
      comment,
      decidedAt,
      ...(approvedDigest === null ? {} : { edited: true }),
    };
  });
}

function isSame(open: OpenQuestion, { step, kind, round }: AskedQuestion): boolean {
  return open.step === step && open.kind === kind && open.round === round;
}

/** A step with what people said about it. */
export function withAnswers(
  step: ExplainedStep,
  questions: readonly ExplainedQuestion[],
): ExplainedStep {
  const answers = questions.filter((each) => each.step === step.id && each.decision !== null);
  const last = answers.at(-1);
  const decided = step.knownBy === 'person' ? last : undefined;
  const editor = answers.findLast(({ edited }) => edited);
  return {
    ...step,
    ...(step.edited ? { edited: { ...step.edited, by: editor?.by ?? null } } : {}),
    decidedBy: decided?.by ?? null,
    decision: decided?.decision ?? null,
    happened: step.happened && happenedAfter(step, step.happened, last),
  };
}

/** What is known of an effect, where a person or a deadline had a say in it. */
function happenedAfter(
  { state, knownBy, effect, attempts, errors }: ExplainedStep,
  alone: Happened,
  last: ExplainedQuestion | undefined,
): Happened {
  if (knownBy === 'person' && last?.decision === 'deny') {
    // An approval that had expired between two attempts: the first may have been made.
    return attempts > 1 && (effect === 'keyed' || effect === 'reconcile') ? 'maybe' : 'no';
  }
  if (knownBy === 'person') return last?.by === THE_DEADLINE ? 'maybe' : alone;
  if (state === 'completed') return alone;
  const late = errors.some(({ code }) => code === 'step.late_effect');
  const guessed = last?.decision === 'did-not-happen' && last.by === THE_DEADLINE;
  return late || guessed ? 'maybe' : alone;
}
