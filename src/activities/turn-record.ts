import type { JsonValue } from '../contract/json-value.ts';
import type { PlannedCall } from '../contract/step.ts';
import type { ModelReply } from '../model/port.ts';

/** What the ledger keeps of a model's answer: enough to speak on, and to run its calls. */
export interface TurnRecord {
  model: string;
  content: string | null;
  calls: RecordedCall[];
  /** The calls to run, with the policies that held when the model answered. */
  planned: PlannedCall[];
  finish: ModelReply['finish'];
}

/** A call as the model wrote it, and what became of it. */
export interface RecordedCall {
  index: number;
  /** The provider's name for the call: its answer must carry it. */
  id: string;
  tool: string;
  arguments: string;
  /**
   * The same call stands earlier, in this turn (its index) or in another (its step): its answer is
   * this one's too.
   */
  sameAs?: number | string;
  /** Why it does not run; the model is told. */
  refusal?: string;
}

/** Reads a record back; the ledger holds what `callModel` wrote. */
export function asTurnRecord(result: JsonValue): TurnRecord {
  return result as unknown as TurnRecord;
}

/** The answer that a record was made of, to be planned again for another run. */
export function replyOf({ model, content, calls, finish }: TurnRecord): Omit<ModelReply, 'usage'> {
  return {
    model,
    content,
    calls: calls.map(({ id, tool, arguments: args }) => ({ id, name: tool, arguments: args })),
    finish,
  };
}
