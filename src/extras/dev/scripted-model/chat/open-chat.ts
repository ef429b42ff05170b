import { z } from 'zod';
import { invalid, type Dialect } from '../dialect.ts';
import type { Opened } from '../extension.ts';
import { chatRequest, findBrokenOrder } from '../wire.ts';
import { toCompletion } from './completion.ts';

/** Reads a body of `POST /chat/completions`. */
export function openChat(body: unknown, dialect: Dialect): Opened {
  const parsed = chatRequest.safeParse(body);
  if (!parsed.success) return { problem: invalid(z.prettifyError(parsed.error)) };
  const request = parsed.data;
  const disorder = findBrokenOrder(request.messages);
  const problem = disorder === undefined ? dialect.refuseChat?.(request) : invalid(disorder);
  if (problem) return { problem };
  return {
    request,
    answer: (reply) => {
      const completion = toCompletion(request, reply, dialect.callIds);
      dialect.dressChat?.(completion, request, reply);
      return completion;
    },
  };
}
