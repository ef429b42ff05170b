import type { FastifyInstance, FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { Completion } from './chat/completion.ts';
import { invalid, type Dialect, type Problem } from './dialect.ts';
import type { ResponseBody } from './responses/response.ts';
import { scriptReply, type ParsedReply } from './script.ts';
import type { ChatRequest } from './wire.ts';

/** One request of either API in the shape that scripts read, and what its script says to it. */
export interface Turn {
  request: ChatRequest;
  reply: ParsedReply;
  /** The `Idempotency-Key`. */
  key: string | undefined;
  dialect: Dialect;
  /** A reply as the body that this API and this dialect give it. */
  answer(reply: ParsedReply): Completion | ResponseBody;
}

/** A request that was read, or why it is refused. */
export type Opened = Pick<Turn, 'request' | 'answer'> | { problem: Problem };

/** What makes another model of the scripted one, for tests: strict endpoints, faults, streams. */
export interface Extension {
  /** More endpoints: each is at `/NAME/v1`. */
  dialects: Readonly<Record<string, Dialect>>;
  /** What an answer of a script may hold. */
  reply: z.ZodType<ParsedReply>;
  /** Adds routes and hooks. */
  extend(app: FastifyInstance): void;
  /** Answers, whatever way it likes; `http.request.body` is what was asked, as it came. */
  play(turn: Turn, http: FastifyReply): void | Promise<void>;
}

/** No extension. */
export const PLAIN: Extension = {
  dialects: {},
  reply: scriptReply,
  extend: () => undefined,
  play({ reply, answer, dialect }, http) {
    if ((http.request.body as { stream?: unknown }).stream) {
      const problem = invalid(
        'The scripted model does not stream: leave `stream` out, or use a real model.',
        { param: 'stream' },
      );
      http.code(problem.status).send(dialect.errorBody(problem));
      return;
    }
    const body = answer(reply);
    http.header('x-request-id', body.id).send(body);
  },
};
