import { isObject } from '../../contract/json-value.ts';
import { ModelError, type ModelRequest } from '../port.ts';
import { usableReply, type BareReply, type Reading } from './answer.ts';
import type { Api } from './api.ts';
import { readBody } from './body.ts';
import { readError } from './error-body.ts';
import { fromErrorInAnswer, misread } from './errors.ts';
import { usageOf } from './fields.ts';
import type { Scrub } from './scrub.ts';

/**
 * Reads an answer of status 200 that a run can go on with.
 *
 * @throws {ModelError} also where the answer breaks what reads it: the next one may not
 */
export function readReply(
  api: Api,
  answer: unknown,
  request: ModelRequest,
  scrub: Scrub,
): BareReply {
  const { model } = request;
  try {
    return usableReply(readAnswer(api, answer, model, scrub), request, scrub);
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw misread('something that cannot be read', { model, usage: null });
  }
}

/**
 * Reads what came with status 200, which can be anything: a proxy's page, `{}`, an error.
 *
 * @throws {ModelError}
 */
function readAnswer(
  { name, read, merge }: Api,
  answer: unknown,
  model: string,
  scrub: Scrub,
): Reading {
  const body = readBody(answer);
  // It comes from a proxy, and says nothing about the request behind it: that keeps its token.
  if (body.kind === 'page') throw misread('a web page');
  if (body.kind === 'text') throw misread('text that is not JSON', { model, usage: null });
  const merged = body.kind === 'events' ? merge(body.events, body.done) : body;
  if (merged === 'cut' || (body.kind === 'events' && body.broken)) {
    throw new ModelError(
      'model.broken_off',
      'The model endpoint ended its event stream in the middle of the answer.',
      { retryable: true },
    );
  }
  const value = merged?.value;
  const reading = read(value);
  if (reading) return reading;
  const used = usageOf(value);
  if (hasError(value)) {
    throw fromErrorInAnswer(readError(value), { model, usage: used ?? NO_USAGE }, scrub);
  }
  const what = body.kind === 'events' ? 'an event stream that has' : 'JSON that is';
  throw misread(`${what} no ${name}`, { model, usage: used });
}

const NO_USAGE = { inputTokens: 0, outputTokens: 0 };

function hasError(value: unknown): boolean {
  const body: unknown = Array.isArray(value) ? value[0] : value;
  return isObject(body) && Boolean(body['error']);
}
