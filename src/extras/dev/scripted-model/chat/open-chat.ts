import { z } from 'zod';
import type { Dialect } from '../dialects/dialect.ts';
import type { Opened } from '../exchange.ts';
import { invalid } from '../problem.ts';
import { chatRequest, findBrokenOrder } from '../wire.ts';
import { toCompletion } from './completion.ts';
import { toEvents } from './stream.ts';

/** Reads a body of `POST /chat/completions`. */
export function openChat(body: unknown, dialect: Dialect): Opened {
  const parsed = chatRequest.safeParse(body);
  if (!parsed.success) return { problem: invalid(z.prettifyError(parsed.error)) };
  const request = parsed.data;
  const disorder = findBrokenOrder(request.messages);
  const problem = disorder === undefined ? dialect.refuseChat?.(request) : invalid(disorder);
  if (problem) return { problem };
  return {
    exchange: {
      request,
      stream: request.stream ?? false,
      answer: (reply) => {
        const completion = toCompletion(request, reply, dialect.callIds);
        dialect.dressChat?.(completion, request, reply);
        return {
          id: completion.id,
          body: completion,
          events: () => toEvents(completion, request.stream_options?.include_usage ?? false),
        };
      },
    },
  };
}
