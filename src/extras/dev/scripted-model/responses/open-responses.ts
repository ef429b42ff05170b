import { z } from 'zod';
import { invalid, type Dialect, type ResponsesRules } from '../dialect.ts';
import type { Opened } from '../extension.ts';
import { findUnpaired, inputItems, responsesRequest } from './request.ts';
import { toResponse } from './response.ts';
import { toChat } from './to-chat.ts';

/** Reads a body of `POST /responses`. */
export function openResponses(body: unknown, dialect: Dialect, rules: ResponsesRules): Opened {
  const parsed = responsesRequest.safeParse(body);
  if (!parsed.success) return { problem: invalid(z.prettifyError(parsed.error)) };
  const asked = parsed.data;
  const unpaired = findUnpaired(inputItems(asked));
  const problem =
    unpaired === undefined ? rules.refuse?.(asked) : invalid(unpaired, { param: 'input' });
  if (problem) return { problem };
  const request = toChat(asked);
  return {
    request,
    answer: (reply) => {
      const { callIds } = dialect;
      const reasoning = rules.sendsReasoning(asked);
      const response = toResponse(asked, request, reply, { callIds, reasoning });
      rules.remember?.(response.output);
      return response;
    },
  };
}
