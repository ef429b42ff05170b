import type { CallIds } from './calls.ts';
import { repeatableIds } from './calls.ts';
import type { Completion } from './chat/completion.ts';
import type { OutputItem } from './responses/output.ts';
import type { ResponsesRequest } from './responses/request.ts';
import { asksForEncryptedContent } from './responses/request.ts';
import type { ParsedReply } from './script.ts';
import type { ChatRequest } from './wire.ts';

/**
 * What one endpoint does beyond the formats that all share. An instance belongs to one server: it
 * remembers what it issued.
 */
export interface Dialect {
  callIds: CallIds;
  /** A refusal in the endpoint's form. */
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

/** Why a request is refused. */
export interface Problem {
  status: number;
  message: string;
  type: string;
  code: string | null;
  param: string | null;
}

/** A request that is wrong: 400 `invalid_request_error`, unless told otherwise. */
export function invalid(message: string, more: Partial<Problem> = {}): Problem {
  return { status: 400, type: 'invalid_request_error', code: null, param: null, ...more, message };
}

export function openAiErrorBody({ message, type, param, code }: Problem): object {
  return { error: { message, type, param, code } };
}

/** `/v1`: takes what has the right shape, and adds what the script or the request orders. */
export const lenientDialect: Dialect = {
  callIds: repeatableIds,
  errorBody: openAiErrorBody,
  dressChat({ choices: [{ message }] }, _request, reply) {
    if (reply.reasoning !== undefined) message['reasoning_content'] = reply.reasoning;
  },
  responses: { sendsReasoning: asksForEncryptedContent },
};
