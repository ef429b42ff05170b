import type { Problem } from './problem.ts';
import type { ParsedReply } from './script.ts';
import type { ChatRequest } from './wire.ts';

/** One request of either API, in the shape that scripts read, and the way to answer it. */
export interface Exchange {
  request: ChatRequest;
  /** The client asked for server-sent events. */
  stream: boolean;
  answer(reply: ParsedReply): Answer;
}

export interface Answer {
  id: string;
  body: object;
  /** The same answer as server-sent events. */
  events(): string[];
}

export type Opened =
  { exchange: Exchange; problem?: undefined } | { exchange?: undefined; problem: Problem };
