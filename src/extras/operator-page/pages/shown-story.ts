import type { Caller } from '../../service/api-keys/port.ts';
import type { ShownExplanation } from '../../service/operators-only.ts';
import type { Html } from '../html.ts';

/** What a run's page is drawn from. */
export interface ShownStory {
  caller: Caller;
  explanation: ShownExplanation;
  /** What the run asks, drawn. */
  questions: readonly Html[];
  /** Of the shadow run that the page can start: sent twice, its form starts one. */
  shadowKey: string;
  /** Whether the key is the client's own, and not its hash. */
  isKeyKnown: boolean;
}
