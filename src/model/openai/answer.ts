import { defined } from '../../contract/defined.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import { ModelError, type ModelReply, type ModelRequest, type ModelUsage } from '../port.ts';
import type { ErrorBody } from './error-body.ts';
import { fromErrorInAnswer } from './errors.ts';
import { problemOfFinish, type Problem } from './finish.ts';
import type { AboutEndpoint } from './error-meaning.ts';
import { isCallAsText, withoutThinking } from './text.ts';

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
  /** Whether it says that it has calls; where it has none, they were lost on the way. */
  saysCalls: boolean;
  /** What failed after the answer had begun; then the rest of the answer does not count. */
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
  about: AboutEndpoint,
): BareReply {
  const { calls, usage, data, error } = reading;
  const model = reading.model ?? request.model;
  if (error) {
    const begun = calls.length > 0 || (reading.content ?? '') !== '';
    throw fromErrorInAnswer(error, { model, usage }, about, begun);
  }
  const content = reading.content === null ? null : withoutThinking(reading.content);
  const problem =
    problemOfRefusal(reading.refusal) ??
    problemOfFinish(reading.finish) ??
    (calls.length > 0 ? undefined : problemOfText(content, reading.saysCalls, request));
  if (problem) {
    throw new ModelError(problem.code, about.scrub(problem.message), problem, { model, usage });
  }
  return {
    model,
    content,
    calls,
    ...defined({ data }),
    finish: calls.length > 0 ? 'tool_calls' : 'stop',
    usage,
  };
}

function problemOfRefusal(refusal: string | null): Problem | undefined {
  if (refusal === null || refusal.trim() === '') return undefined;
  const message = `The model declined to answer. It said: ${refusal}`;
  return { code: 'model.refused', message, retryable: false };
}

/** Spaces and characters that nobody sees are nothing. */
const SOMETHING = /[^\s\p{Cc}\p{Cf}]/u;
/** Models say nothing by chance at times. After three such answers it is not by chance. */
const BLANK_ROUNDS = 3;

/** Why an answer without calls is no final one. */
function problemOfText(
  content: string | null,
  saysCalls: boolean,
  { tools }: ModelRequest,
): Problem | undefined {
  const unusable = (message: string, rounds: number): Problem => ({
    code: 'model.bad_answer',
    message,
    retryable: true,
    rounds,
  });
  if (saysCalls) {
    const message = 'The model endpoint announced tool calls, and sent none that can be read.';
    return unusable(message, BLANK_ROUNDS);
  }
  if (content === null || !SOMETHING.test(content)) {
    return unusable('The model answered with neither text nor a tool call.', BLANK_ROUNDS);
  }
  const names = tools.map(({ name }) => name);
  if (!isCallAsText(content, names)) return undefined;
  return unusable(
    "The model wrote a tool call as text: the endpoint did not parse it. Switch on its parser for this model's calls (vLLM: --enable-auto-tool-choice --tool-call-parser), or choose a model that calls tools.",
    2,
  );
}
