import { z } from 'zod';
import type { Dialect, ResponsesRules } from '../dialects/dialect.ts';
import type { Opened } from '../exchange.ts';
import { invalid } from '../problem.ts';
import { findUnpaired, inputItems, responsesRequest } from './request.ts';
import { toResponse } from './response.ts';
import { toResponseEvents } from './stream.ts';
import { toChat } from './to-chat.ts';

/** Reads a body of `POST /responses`. */
export function openResponses(body: unknown, dialect: Dialect, rules: ResponsesRules): Opened {
  const parsed = responsesRequest.safeParse(body);
  if (!parsed.success) return { problem: invalid(z.prettifyError(parsed.error)) };
  const request = parsed.data;
  const unpaired = findUnpaired(inputItems(request));
  const problem =
    unpaired === undefined ? rules.refuse?.(request) : invalid(unpaired, { param: 'input' });
  if (problem) return { problem };
  const chat = toChat(request);
  return {
    exchange: {
      request: chat,
      stream: request.stream ?? false,
      answer: (reply) => {
        const response = toResponse(request, chat, reply, {
          callIds: dialect.callIds,
          reasoning: rules.sendsReasoning(request),
        });
        rules.remember?.(response.output);
        return { id: response.id, body: response, events: () => toResponseEvents(response) };
      },
    },
  };
}
