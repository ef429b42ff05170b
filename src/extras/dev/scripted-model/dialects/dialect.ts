import type { CallIds } from '../calls.ts';
import type { Completion } from '../chat/completion.ts';
import type { Problem } from '../problem.ts';
import type { OutputItem } from '../responses/output.ts';
import type { ResponsesRequest } from '../responses/request.ts';
import type { ParsedReply } from '../script.ts';
import type { ChatRequest } from '../wire.ts';

/**
 * What one endpoint does beyond the formats that all share. An instance belongs to one server: it
 * remembers what it issued.
 */
export interface Dialect {
  callIds: CallIds;
  /** A refusal, or a fault of the wire, in the endpoint's form. */
  errorBody(problem: Problem): unknown;
  /** Why the endpoint would refuse this request, beyond its shape. */
  refuseChat?(request: ChatRequest): Problem | undefined;
  /** Adds what the endpoint adds to an answer, and remembers it. */
  dressChat?(completion: Completion, request: ChatRequest, reply: ParsedReply): void;
  /** Only where the endpoint has `/responses`. */
  responses?: ResponsesRules;
}

export interface ResponsesRules {
  refuse?(request: ResponsesRequest): Problem | undefined;
  sendsReasoning(request: ResponsesRequest): boolean;
  remember?(output: readonly OutputItem[]): void;
}
