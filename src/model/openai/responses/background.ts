import { setTimeout as sleep } from 'node:timers/promises';
import { APIError } from 'openai';
import { isObject, type JsonObject } from '../../../contract/json-value.ts';
import {
  ModelError,
  stillPending,
  type Background,
  type BackgroundResponse,
  type CancelContext,
  type ModelCallContext,
} from '../../port.ts';
import type { Answer, Sender } from '../client.ts';
import { keyOf, type Endpoint } from '../endpoint.ts';
import { refusedPart } from '../errors.ts';
import { ENCRYPTED } from './responses-request.ts';

/** Between two questions, unless the endpoint says how long. */
const SHORTEST_POLL_MS = 200;
const WAITS_MS = { first: 1_000, longest: 5_000 };
/** One that was just begun may not yet be known to each of the endpoint's servers. */
const YOUNG_MS = 60_000;
/** Of one question. */
const QUESTION_MS = 30_000;
const CANCEL_MS = 3_000;
/** What was lost is paid for: it is not begun again for ever. */
const ROUNDS = 3;

/** It is kept in a row, and becomes a part of a URL. */
const ID = /^[\x21-\x7e]{1,1024}$/;
const ENDED = /^(?:completed|incomplete|failed|cancelled)$/;

/** The response that an endpoint has begun to make; `undefined`: it is made, or is none. */
export function begunIn(
  value: unknown,
  origin: string,
  model: string,
): BackgroundResponse | undefined {
  const { id, status } = isObject(value) ? value : ({} as JsonObject);
  if (typeof id !== 'string' || !ID.test(id)) return undefined;
  if (typeof status !== 'string' || ENDED.test(status)) return undefined;
  return { origin, model, responseId: id, at: new Date().toISOString() };
}

/** The response that an earlier attempt has begun; one of another endpoint or model is let go. */
export async function foundHere(
  background: Background | undefined,
  { api, origin }: Endpoint,
  model: string,
): Promise<BackgroundResponse | undefined> {
  const { pending } = background ?? {};
  if (api === 'responses' && pending?.origin === origin && pending.model === model) return pending;
  if (pending) await background?.keep(undefined);
  return undefined;
}

interface Polling {
  /** The answer of the request that began it; absent: an earlier attempt did. */
  first: Answer | undefined;
  context: ModelCallContext;
  /** When the time of the attempt is over. */
  until: number;
  /** @returns a `ModelError`; the signal's reason when the signal aborted */
  toError(error: unknown): unknown;
  /** Gets each key that is asked with. */
  secrets: string[];
}

/** @param unencrypted models that have no thoughts to encrypt */
export function createBackground(endpoint: Endpoint, sender: Sender, unencrypted: Set<string>) {
  /** Asks once, with a key of this moment: it may expire while the response is made. */
  async function ask(
    pending: BackgroundResponse,
    polling: Polling,
    timeoutMs: number,
  ): Promise<Answer> {
    const { context, secrets } = polling;
    const { responseId, model } = pending;
    const query = unencrypted.has(model) ? {} : { include: ENCRYPTED };
    try {
      const key = await keyOf(endpoint, context.signal, secrets);
      return await sender.get(pathOf(responseId), query, key, { ...context, timeoutMs });
    } catch (error) {
      if (refusedPart(error) !== 'asked' || unencrypted.has(model)) throw error;
      unencrypted.add(model);
      return ask(pending, polling, timeoutMs);
    }
  }

  async function cancel({ responseId }: BackgroundResponse, context: CancelContext) {
    const limit = { signal: AbortSignal.timeout(CANCEL_MS), timeoutMs: CANCEL_MS };
    const key = await keyOf(endpoint, limit.signal, []);
    await sender.post(`${pathOf(responseId)}/cancel`, {}, key, { ...context, ...limit });
  }

  return {
    cancel,
    /**
     * Asks for a response until it is made. Errors of the questions say nothing about it.
     *
     * @throws {ModelError} `model.pending`, `model.response_lost`
     * @throws the signal's reason; where the run is cancelled, the response is first
     */
    async untilMade(pending: BackgroundResponse, polling: Polling): Promise<unknown> {
      const { first, context, until, toError } = polling;
      const { signal, background } = context;
      let growing = WAITS_MS.first;
      let wait = first ? (pollAfterMs(first) ?? growing) : 0;
      for (;;) {
        const inTime = Math.max(0, Math.min(wait, until - Date.now()));
        // Aborted or not: what follows says why it ends.
        await sleep(inTime, undefined, { signal }).catch(() => {});
        const left = until - Date.now();
        if (left <= 0 && !signal.aborted) throw stillPending();
        wait = growing;
        try {
          signal.throwIfAborted();
          const answer = await ask(pending, polling, Math.min(left, QUESTION_MS));
          const { value } = answer;
          if (isObject(value) && ENDED.test(String(value['status']))) return value;
          wait = pollAfterMs(answer) ?? growing;
        } catch (error) {
          if (signal.aborted && background?.isCancelled()) {
            await cancel(pending, context).catch(() => {});
          }
          const failure = toError(error);
          if (!(failure instanceof ModelError)) throw failure;
          if (isLost(error, failure, pending)) throw lost(failure, pending);
          if (isRefused(error, failure)) throw notGiven(failure, pending);
          wait = Math.max(growing, failure.retryAfterMs ?? 0);
        }
        growing = Math.min(growing * 1.5, WAITS_MS.longest);
      }
    },
  };
}

function pathOf(responseId: string): string {
  return `/responses/${encodeURIComponent(responseId)}`;
}

function pollAfterMs({ headers }: Answer): number | undefined {
  const told = headers.get('openai-poll-after-ms') ?? '';
  if (!/^\d{1,6}$/.test(told)) return undefined;
  return Math.max(SHORTEST_POLL_MS, Number(told));
}

/** Whether nobody here can ask for it any more: it is gone, or belongs to another key's project. */
function isLost(error: unknown, failure: ModelError, { at }: BackgroundResponse): boolean {
  if (!(error instanceof APIError)) return false;
  if (error.status === 404) return Date.now() - Date.parse(at) > YOUNG_MS;
  return !failure.retryable && (error.status === 401 || error.status === 403);
}

/** Whether the endpoint does not know how to give a response: it will not know later either. */
function isRefused(error: unknown, { retryable, code }: ModelError): boolean {
  if (!(error instanceof APIError) || error.status === 404) return false;
  return !retryable && code !== 'model.quota_exhausted';
}

function notGiven({ message }: ModelError, { model }: BackgroundResponse): ModelError {
  return new ModelError(
    'model.rejected',
    `The model endpoint makes answers in the background, and does not give them: switch background off for it. The answer may have been paid for. ${message}`,
    { retryable: false },
    { model, usage: null },
  );
}

function lost({ message }: ModelError, { model }: BackgroundResponse): ModelError {
  return new ModelError(
    'model.response_lost',
    `The model endpoint does not give the answer any more that it made in the background. ${message}`,
    { retryable: true, rounds: ROUNDS },
    { model, usage: null },
  );
}
