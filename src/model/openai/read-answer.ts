import { isObject } from '../../contract/json-value.ts';
import { ModelError, type ModelRequest } from '../port.ts';
import { usableReply, type BareReply, type Reading } from './answer.ts';
import type { Api } from './api.ts';
import type { EndpointNames } from './endpoint.ts';
import { readError } from './error-body.ts';
import type { AboutEndpoint } from './error-meaning.ts';
import { fromErrorInAnswer, misread } from './errors.ts';
import { readEvents } from './event-stream.ts';
import { parseOrNothing, usageOf } from './fields.ts';

/**
 * Reads an answer of status 200 that a run can go on with.
 *
 * @param answer JSON that was parsed, or the text of anything else
 * @throws {ModelError} also where the answer breaks what reads it: the next one may not
 */
export function readReply(
  api: Api,
  answer: unknown,
  request: ModelRequest,
  about: AboutEndpoint,
): BareReply {
  const { model } = request;
  try {
    return usableReply(readAnswer(api, answer, model, about), request, about);
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw misread('something that cannot be read', about.names, { model, usage: null });
  }
}

/**
 * Reads what came with status 200, which can be anything: a proxy's page, `{}`, an error.
 *
 * @throws {ModelError}
 */
function readAnswer(api: Api, answer: unknown, model: string, about: AboutEndpoint): Reading {
  const json = typeof answer === 'string' ? parseOrNothing(answer) : answer;
  const isStream = typeof answer === 'string' && json === undefined;
  const value = isStream ? mergeStream(api, answer, model, about.names) : json;
  const reading = api.read(value);
  if (reading) return reading;
  const usage = usageOf(value);
  if (hasError(value)) {
    throw fromErrorInAnswer(readError(value), { model, usage }, about);
  }
  const what = isStream ? 'an event stream that has' : 'JSON that is';
  throw misread(`${what} no ${api.name}`, about.names, { model, usage });
}

/** @throws {ModelError} it is no whole stream of events */
function mergeStream({ merge }: Api, text: string, model: string, names: EndpointNames): unknown {
  // It comes from a proxy, and says nothing about the request behind it: that keeps its token.
  if (/^\s*</.test(text)) throw misread('a web page', names);
  const { events, done, broken } = readEvents(text);
  if (events.length === 0 && !broken && !isSilence(text))
    throw misread('text that is not JSON', names, { model, usage: null });
  const merged = merge(events, done);
  if (events.length > 0 && merged !== 'cut' && !broken) return merged?.value;
  throw new ModelError(
    'model.broken_off',
    'The model endpoint ended its event stream in the middle of the answer.',
    { retryable: true },
  );
}

/** A stream that broke off before its first event: nothing, or comments that keep it alive. */
function isSilence(text: string): boolean {
  return text.split('\n').every((line) => line.startsWith(':') || line.trim() === '');
}

function hasError(value: unknown): boolean {
  const body: unknown = Array.isArray(value) ? value[0] : value;
  return isObject(body) && Boolean(body['error']);
}
