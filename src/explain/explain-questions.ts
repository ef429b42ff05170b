import { THE_DEADLINE, type OpenQuestion } from '../contract/decision.ts';
import type { AskedQuestion } from '../ledger/port.ts';
import type { ExplainedQuestion, ExplainedStep, Happened } from './explanation.ts';

/** The questions of a run, those that still wait with what the run shows of them. */
export function explainQuestions(
  asked: readonly AskedQuestion[],
  waiting: readonly OpenQuestion[],
): ExplainedQuestion[] {
  return asked.map(({ step, kind, round, askedAt, decision, by, comment, decidedAt }) => {
    const open =
      decision === null
        ? waiting.find((each) => each.step === step && each.kind === kind && each.round === round)
        : undefined;
    return {
      step,
      kind,
      round,
      askedAt,
      waits: open !== undefined,
      deadline: open?.deadline ?? null,
      otherwise: open?.otherwise ?? null,
      decision,
      by,
      comment,
      decidedAt,
    };
  });
}

/** A step with what people said about it. */
export function withAnswers(
  step: ExplainedStep,
  questions: readonly ExplainedQuestion[],
): ExplainedStep {
  const answers = questions.filter((each) => each.step === step.id && each.decision !== null);
  const last = answers.at(-1);
  const decided = step.knownBy === 'person' ? last : undefined;
  return {
    ...step,
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
