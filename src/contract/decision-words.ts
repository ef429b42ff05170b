import type { Decision, QuestionKind } from './decision.ts';

interface QuestionWords {
  /** As a fact about the call. */
  is: string;
  /** What is waited for; the call's name follows. */
  waitsFor: string;
  /** Who or what the step waits for, without the call's name. */
  needs: string;
  /** What was asked, inside a sentence. */
  asked: string;
  /** The name of the timer that ends with the deadline. */
  timer: string;
}

/** What people read about a question, in a terminal and in Temporal UI. */
export const QUESTION_WORDS: Record<QuestionKind, QuestionWords> = {
  approval: {
    is: 'needs approval',
    waitsFor: 'approval of',
    needs: 'an approval',
    asked: 'whether it may run',
    timer: 'waits for approval, has not run',
  },
  outcome: {
    is: 'outcome unknown',
    waitsFor: 'somebody who knows the outcome of',
    needs: 'somebody to say whether it happened',
    asked: 'whether it happened',
    timer: 'waits for a person to say whether it happened',
  },
};

interface DecisionWords {
  /** What a person has said with it. */
  said: string;
  /** What follows when the deadline decides so. */
  unanswered: string;
  /** The same in a few words, before the deadline and after it. */
  assumes: string;
  assumed: string;
  /** What the call's activity is scheduled for afterwards. */
  activity: string;
}

/** What people read about a decision, in a terminal and in Temporal UI. */
export const DECISION_WORDS: Record<Decision, DecisionWords> = {
  approve: {
    said: 'it may run',
    unanswered: 'it is approved',
    assumes: 'it counts as approved',
    assumed: 'it counted as approved',
    activity: 'approved',
  },
  deny: {
    said: 'it may not run',
    unanswered: 'it is denied, and the model is told so',
    assumes: 'it counts as denied',
    assumed: 'it counted as denied',
    activity: 'denied, not made',
  },
  happened: {
    said: 'it happened',
    unanswered: 'it counts as done, without a result',
    assumes: 'it counts as done',
    assumed: 'it counted as done',
    activity: 'it happened',
  },
  'did-not-happen': {
    said: 'it did not happen',
    unanswered: 'it counts as not done, and runs again',
    assumes: 'it counts as not done',
    assumed: 'it counted as not done',
    activity: 'it did not happen, runs again',
  },
  fail: {
    said: 'the run is to fail',
    unanswered: 'the run fails; a resume asks again',
    assumes: 'the run fails',
    assumed: 'the run failed',
    activity: 'ends the run',
  },
};

/** A command that answers a question. */
export interface AnswerCommand {
  decision: Decision;
  name: string;
  options: readonly string[];
  /** When it is the answer, and what follows. */
  does: string;
}

/** The commands of which one answers a question. */
export const ANSWER_COMMANDS: Record<QuestionKind, readonly AnswerCommand[]> = {
  approval: [
    {
      decision: 'approve',
      name: 'approve',
      options: [],
      does: 'to let it run; on a terminal this shows its arguments first, and asks',
    },
    {
      decision: 'deny',
      name: 'deny',
      options: [],
      does: 'to keep it from running; the model is told so, and the run goes on',
    },
  ],
  outcome: [
    {
      decision: 'happened',
      name: 'resolve',
      options: ['--happened'],
      does: 'if it happened: it is done; --result JSON is what the model is told',
    },
    {
      decision: 'did-not-happen',
      name: 'resolve',
      options: ['--did-not-happen'],
      does: 'if not, and that attempt can no longer act: it runs AGAIN',
    },
    {
      decision: 'fail',
      name: 'resolve',
      options: ['--fail'],
      does: 'if nobody can tell: the run fails; a resume asks again',
    },
  ],
};
