import type { JsonValue } from '../../contract/json-value.ts';
import {
  ModelError,
  type Answered,
  type ModelReply,
  type ModelRequest,
  type ModelUsage,
} from '../port.ts';
import type { ErrorBody } from './error-body.ts';
import { fromErrorInAnswer } from './errors.ts';
import { judgeFinish } from './finish.ts';
import { scrub } from './scrub.ts';
import { isCallAsText, withoutThinking } from './text.ts';
import { badAnswer } from './unusable.ts';

/** What an answer says, in whichever API. */
export interface Reading {
  model: string | undefined;
  content: string | null;
  calls: ReadCall[];
  /** See `OpaquePart`; absent: the endpoint wants nothing back. */
  data?: JsonValue;
  /** Why it ended, in the endpoint's words; `null`: it did not say. */
  finish: string | null;
  /** The model's own words for why it does not answer. */
  refusal: string | null;
  /** What failed after the answer had begun. */
  error?: ErrorBody | undefined;
  usage: ModelUsage | null;
}

export interface ReadCall {
  id: string;
  name: string;
  arguments: string;
  data?: JsonValue;
}

/** A reply whose parts do not yet say whose they are. */
export type BareReply = Omit<ModelReply, 'opaque' | 'calls'> & Pick<Reading, 'calls' | 'data'>;

/**
 * Decides whether an answer is one that a run can go on with. Half an answer is none: a call cut in
 * its arguments, a text without its end.
 *
 * @throws {ModelError} and whether asking again may help; each answer was paid for
 */
export function usableReply(
  reading: Reading,
  request: ModelRequest,
  secrets: readonly string[],
): BareReply {
  const { calls, usage } = reading;
  const model = reading.model ?? request.model;
  const answered: Answered = { model, usage };
  if (reading.error) throw fromErrorInAnswer(reading.error, answered, secrets);
  if (reading.refusal !== null && reading.refusal.trim() !== '') {
    throw new ModelError(
      'model.refused',
      `The model declined to answer. It said: ${scrub(reading.refusal, secrets)}`,
      { retryable: false },
      answered,
    );
  }
  const unfinished = judgeFinish(reading.finish, answered, secrets);
  if (unfinished) throw unfinished;

  const content = reading.content === null ? null : withoutThinking(reading.content);
  if (calls.length === 0) {
    if (content === null || content.trim() === '') {
      throw badAnswer('neither text nor a tool call', answered, BLANK_ROUNDS);
    }
    if (
      isCallAsText(
        content,
        request.tools.map(({ name }) => name),
      )
    ) {
      throw new ModelError(
        'model.bad_answer',
        "The model wrote a tool call as text: the endpoint did not parse it. Switch on its parser for this model's calls (vLLM: --enable-auto-tool-choice --tool-call-parser), or choose a model that calls tools.",
        { retryable: true, rounds: 2 },
        answered,
      );
    }
  }
  return {
    model,
    content,
    calls,
    ...(reading.data === undefined ? {} : { data: reading.data }),
    finish: calls.length > 0 ? 'tool_calls' : 'stop',
    usage,
  };
}

/** Models say nothing by chance, too: more often than twice in a row it is none. */
const BLANK_ROUNDS = 3;
