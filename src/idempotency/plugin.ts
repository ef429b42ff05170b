import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type pg from 'pg';
import { AgentOnceError } from '../contract/errors.ts';
import { sha256Hex } from '../contract/hash.ts';
import { canonicalJson } from '../contract/json.ts';
import { keyLinesOf, readIdempotencyKey } from './idempotency-key.ts';
import { KeyedTransaction, type KeyedRequest } from './keyed-transaction.ts';

export interface IdempotencyOptions {
  /** The database of the handlers' own work: the answer is stored in the same transaction. */
  pool: pg.Pool;
  /** Whose keys these are; default: everybody's. Take it from what was authenticated. */
  tenantOf?: (request: FastifyRequest) => string;
  /** Whether a request without a key is refused; default: it is new each time. */
  required?: boolean;
  /**
   * What a duplicate does while the first is being worked on: it waits so many milliseconds, then
   * it gets 409; 0: 409 at once. Default 10 s.
   */
  waitMs?: number;
  /** How long an answer is kept, in milliseconds; default 24 h. */
  ttlMs?: number;
  /** How long a handler may leave its transaction alone, in milliseconds; default 30 s. */
  idleMs?: number;
  /** Which answers are stored; default: all but 5xx. Of the others everything is rolled back. */
  stores?: (status: number) => boolean;
  /** Headers of the answer that are stored with it, in lower case. */
  headers?: readonly string[];
}

const DAY_MS = 24 * 60 * 60_000;
const STORED_HEADERS = ['content-type', 'location', 'etag'];
const METHODS = new Set(['POST', 'PATCH', 'PUT', 'DELETE']);

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * The transaction of a request to an idempotent route: what the handler writes through it
     * commits with the stored answer, or not at all.
     */
    tx: pg.ClientBase;
    keyed: KeyedTransaction | null;
  }
  interface FastifyContextConfig {
    /** `true`: the route's handler runs once per `Idempotency-Key`, in `request.tx`. */
    idempotent?: boolean;
  }
}

/**
 * Makes routes with `config: { idempotent: true }` run once per `Idempotency-Key`: the key, the
 * handler's work in `request.tx` and the answer commit together. A holder that dies rolls back and
 * is followed by the next request with its key; one that lives is never taken over. Answers of 5xx
 * are not stored. An answer of 4xx is, and what the handler wrote before it is rolled back.
 *
 * Call `installIdempotency` once on the database.
 */
export function addIdempotency(app: FastifyInstance, options: IdempotencyOptions): void {
  const { pool, tenantOf = () => '', required = false, headers = STORED_HEADERS } = options;
  const { stores = (status) => status < 500 } = options;
  app.decorateRequest('keyed', null);
  app.decorateRequest('tx', null as unknown as pg.ClientBase);

  app.addHook('preHandler', async (request, reply) => {
    if (!isIdempotent(request)) return;
    const key = readIdempotencyKey(keyLinesOf(request.raw));
    if (key === undefined && required) throw missing();
    const keyed: KeyedRequest | undefined =
      key === undefined
        ? undefined
        : {
            tenant: tenantOf(request),
            key,
            method: request.method,
            path: pathOf(request),
            fingerprint: sha256Hex(canonicalJson(request.body ?? null)),
          };
    const transaction = new KeyedTransaction(pool, keyed, {
      waitMs: options.waitMs ?? 10_000,
      ttlMs: options.ttlMs ?? DAY_MS,
      idleMs: options.idleMs ?? 30_000,
    });
    request.keyed = transaction;
    const stored = await transaction.begin();
    if (stored) return answerAgain(reply, stored);
    request.tx = transaction.client;
  });

  // The answer is stored before it is sent: whoever has it may count on it.
  app.addHook('onSend', async (request, reply, payload) => {
    const { keyed } = request;
    if (!keyed?.open) return payload;
    if (!stores(reply.statusCode)) {
      await keyed.abandon();
      return payload;
    }
    await keyed.finish({
      status: reply.statusCode,
      headers: pick(reply, headers),
      body: asText(payload),
    });
    return payload;
  });
  app.addHook('onResponse', async (request) => request.keyed?.abandon());
}

function isIdempotent({ routeOptions, method }: FastifyRequest): boolean {
  return routeOptions.config.idempotent === true && METHODS.has(method);
}

/** Without the query: what identifies a resource is compared, what is asked of it is in the body. */
function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0] ?? url;
}

function answerAgain(
  reply: FastifyReply,
  stored: { status: number; headers: Record<string, string>; body: string },
): FastifyReply {
  return reply
    .code(stored.status)
    .headers(stored.headers)
    .header('idempotent-replayed', 'true')
    .serializer((text: unknown) => String(text))
    .send(stored.body);
}

function pick(reply: FastifyReply, names: readonly string[]): Record<string, string> {
  const found = names.flatMap((name) => {
    const value = reply.getHeader(name);
    return value === undefined ? [] : [[name, String(value)] as const];
  });
  return Object.fromEntries(found);
}

function asText(payload: unknown): string {
  if (payload === undefined || payload === null) return '';
  if (typeof payload === 'string') return payload;
  if (Buffer.isBuffer(payload)) return payload.toString('utf8');
  throw new Error('An idempotent route answers with a text or JSON, not with a stream.');
}

function missing(): AgentOnceError {
  return new AgentOnceError(
    'key.invalid',
    'The Idempotency-Key header is missing. Send a new UUID v4 for each new request, and the same one whenever it is repeated. Nothing was done.',
  );
}
