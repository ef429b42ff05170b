import { repeatableIds } from '../calls.ts';
import { openAiErrorBody } from '../problem.ts';
import { asksForEncryptedContent } from '../responses/request.ts';
import type { Dialect } from './dialect.ts';

/** `/v1`: takes what has the right shape, and adds what the script or the request orders. */
export function lenientDialect(): Dialect {
  return {
    callIds: repeatableIds,
    errorBody: openAiErrorBody,
    dressChat({ choices: [{ message }] }, _request, reply) {
      if (reply.reasoning !== undefined) message.reasoning_content = reply.reasoning;
    },
    responses: { sendsReasoning: asksForEncryptedContent },
  };
}
