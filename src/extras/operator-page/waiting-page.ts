import type { RunSummary } from '../../client/types.ts';
import type { OpenQuestion } from '../../contract/decision.ts';

type Named = Pick<OpenQuestion, 'step' | 'kind' | 'round' | 'tool' | 'summary' | 'askedAt'>;

/** A question that waits for a person. */
export interface WaitingQuestion {
  run: Pick<RunSummary, 'workflowId' | 'agent' | 'key' | 'shadow'>;
  /** Of a run with many questions, the last ones are told without their deadline. */
  question: Named & Partial<Pick<OpenQuestion, 'deadline'>>;
}

export interface WaitingPage {
  /** Oldest first. */
  questions: WaitingQuestion[];
  /** Begins the next page; `undefined`: it was the last one. */
  next: string | undefined;
  /** How many wait in all; where that is not known, about so many. */
  count: number;
  isExact: boolean;
  /** Questions that runs ask besides those that this list has. */
  unseen: number;
}
