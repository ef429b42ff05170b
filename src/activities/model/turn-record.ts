import type { JsonValue } from '../../contract/json-value.ts';
import type { PlannedCall, TokenParts } from '../../contract/step.ts';
import type { ModelCall, ModelReply, OpaquePart } from '../../model/port.ts';

/** What the ledger keeps of a model's answer: enough to speak on, and to run its calls. */
export interface TurnRecord {
  model: string;
  content: string | null;
  calls: RecordedCall[];
  /** The calls to run, with the policies that held when the model answered. */
  planned: PlannedCall[];
  finish: ModelReply['finish'];
  /** Of a final answer of an agent with an `output`: what its schema made of it. */
  output?: JsonValue;
  /** Of one that did not fit: what the model is told of it, before it is asked once more. */
  repair?: string;
  /** The run's name for the model that answered; absent in records of an earlier version. */
  answeredBy?: string;
  /** What the endpoint wants back; absent in records of an earlier version as well. */
  opaque?: OpaquePart;
  /** Absent as well where the answer was paid for elsewhere. */
  tokens?: TokenParts;
}

/** A call as the model wrote it, and what became of it. */
export interface RecordedCall {
  index: number;
  /** See `callId`. Earlier versions kept the endpoint's own, which need not be unique. */
  id: string;
  tool: string;
  arguments: string;
  opaque?: OpaquePart;
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
export function replyOf(record: TurnRecord): Omit<ModelReply, 'usage'> {
  const { model, content, calls, finish, opaque } = record;
  return { model, content, calls: calls.map(asCall), finish, ...(opaque ? { opaque } : {}) };
}

/** A recorded call as a conversation has it. */
export function asCall({ id, tool, arguments: args, opaque }: RecordedCall): ModelCall {
  return { id, name: tool, arguments: args, ...(opaque ? { opaque } : {}) };
}

/** The name of a call in the conversation: unique in its run, whatever the endpoint calls it. */
export function callId(turn: number, index: number): string {
  return `call_${turn}_${index}`;
}
