import {
  ApplicationFailure,
  condition,
  defineSignal,
  defineUpdate,
  setHandler,
} from '@temporalio/workflow';
import {
  ANSWERS,
  THE_DEADLINE,
  type DecisionInput,
  type DecisionResult,
  type OpenQuestion,
} from '../contract/decision.ts';
import { APPROVE_EDITED_UPDATE, DECIDE_UPDATE, SETTLED_SIGNAL } from '../contract/names.ts';
import { waitLine } from './step-lines.ts';

/**
 * Writes an answer into the ledger, which alone says what becomes of it.
 *
 * @param asked whether the run waits for an answer to this very question
 */
type Record = (answer: DecisionInput, asked: boolean) => Promise<DecisionResult>;

/** An answer that stands; the call's new summary where its arguments were changed. */
export type Answer = Pick<DecisionResult, 'decision' | 'summary'>;

/**
 * The questions of a run that wait for a person. The ledger keeps questions and answers; here is
 * only the waiting. Answers are checked against open questions alone: the ledger knows the others.
 */
export class Decisions {
  readonly #open = new Map<string, OpenQuestion>();
  /** The answers that stand, to what was open. */
  readonly #answers = new Map<string, Answer>();
  /** Answered or settled between the question in the ledger and the waiting for it here. */
  readonly #early = new Set<string>();
  readonly #record: Record;
  readonly #onChange: (open: OpenQuestion[]) => void;

  constructor(record: Record, onChange: (open: OpenQuestion[]) => void) {
    this.#record = record;
    this.#onChange = onChange;
    for (const name of [DECIDE_UPDATE, APPROVE_EDITED_UPDATE]) {
      setHandler(
        defineUpdate<DecisionResult, [DecisionInput]>(name),
        (answer) => this.#decide(answer),
        { validator: (answer) => this.#check(answer) },
      );
    }
    setHandler(defineSignal<[string]>(SETTLED_SIGNAL), (step) => this.#close(step));
  }

  /**
   * Waits until the question is answered, the step is settled, or the deadline has answered.
   *
   * @returns the answer, where it is known here: a settled step needs none
   */
  async wait(question: OpenQuestion): Promise<Answer | undefined> {
    const { step, round, deadline, otherwise } = question;
    // Nobody will say it again; whether it was about this very question, the ledger knows.
    if (this.#early.delete(step)) return undefined;
    this.#open.set(step, question);
    this.#answers.delete(step);
    this.#onChange(this.#questions());
    try {
      const left = Math.max(1, Date.parse(deadline) - Date.now());
      const closed = () => this.#open.get(step) !== question;
      if (await condition(closed, left, { summary: waitLine(question) })) {
        return this.#answers.get(step);
      }
      // Whatever was recorded first counts, this or what somebody says at the same moment.
      const by = THE_DEADLINE;
      const comment = `nobody had answered by ${deadline}`;
      return await this.#record({ step, round, decision: otherwise, by, comment }, true);
    } finally {
      if (this.#open.get(step) === question) this.#close(step);
    }
  }

  async #decide(answer: DecisionInput): Promise<DecisionResult> {
    const { step, round } = answer;
    const open = this.#open.get(step);
    const asked = open !== undefined && (round === undefined || round === open.round);
    const result = await this.#record(answer, asked);
    const { outcome, decision } = result;
    // Those change nothing; anything else says that the step need not wait any more.
    if (['conflict', 'none', 'restored'].includes(outcome)) return result;
    if (outcome !== 'settled' && decision !== null) this.#answers.set(step, result);
    this.#close(step);
    return result;
  }

  #close(step: string): void {
    if (this.#open.delete(step)) this.#onChange(this.#questions());
    else this.#early.add(step);
  }

  /** In the order of the calls, not of who asked first. */
  #questions(): OpenQuestion[] {
    const index = ({ step }: OpenQuestion): number => Number(step.split('.c')[1]);
    return [...this.#open.values()].sort((a, b) => index(a) - index(b));
  }

  #check({ step, decision, round, arguments: args }: DecisionInput): void {
    const question = this.#open.get(step);
    if (!question || (round !== undefined && round !== question.round)) return;
    const answers: readonly string[] = ANSWERS[question.kind];
    const fits = answers.includes(decision);
    if (fits && args !== undefined && !question.editable) {
      throw ApplicationFailure.create({
        type: 'decision.invalid',
        nonRetryable: true,
        message: `The arguments of step ${step} cannot be changed: the approval of ${question.tool} is not editable, or an attempt with them was begun. Nothing was decided. Approve it as it is, or deny it.`,
      });
    }
    if (fits) return;
    throw ApplicationFailure.create({
      type: 'decision.invalid',
      nonRetryable: true,
      message: `Step ${step} asks for an ${question.kind}: the answers are ${answers.join(', ')}. Nothing was decided.`,
    });
  }
}
