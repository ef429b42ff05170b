import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type pg from 'pg';
import { AgentOnceError } from '../../contract/errors.ts';
import type { Extra } from '../../cli/app.ts';
import type { Sealer } from '../../ledger/payload.ts';
import { keyLinesOf, mayHaveUnseenLines, readIdempotencyKey } from './idempotency-key.ts';
import { KeyedTransaction, type KeyedRequest, type StoredAnswer } from './keyed-transaction.ts';
import { answerRefusal, asRefusal, RefusedRequest } from './refused-request.ts';
import { fingerprintOf } from './request-fingerprint.ts';
import { sealerOf } from './sealed-answer.ts';

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
  /**
   * After how long a holder whose process shows no sign of life counts as dead, in milliseconds;
   * default 30 s. A process that runs shows them: a handler may take longer.
   */
  idleMs?: number;
  /** Which answers are stored; default: all but 5xx. Of the others everything is rolled back. */
  stores?: (status: number) => boolean;
  /** Headers of the answer that are stored with it beside `content-type`, in lower case. */
  headers?: readonly string[];
  /**
   * The app's: `encryption` among them encrypts what is stored, with the same keys as the ledger.
   * Default: those of the command that this process runs.
   */
  extras?: readonly Pick<Extra, 'sealer'>[];
}

const DAY_MS = 24 * 60 * 60_000;
const STORED_HEADERS = ['location', 'etag'];
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
 * are not stored. An answer of 4xx of the handler is, and what it wrote before is rolled back.
 *
 * The key is looked up where the handler would begin, after every hook of the application and the
 * route: what these refuse is not stored, and a replay has passed them too. What is refused here
 * (400, 409, 422) is answered with problem details.
 *
 * Call it before the routes are added, and `installIdempotency` once on the database.
 *
 * @throws {AgentOnceError} `config.invalid`: there are keys of encryption, and no extra that uses them
 */
export function addIdempotency(app: FastifyInstance, options: IdempotencyOptions): void {
  const { stores = (status) => status < 500, headers = STORED_HEADERS } = options;
  const names = ['content-type', ...headers];
  const sealer = sealerOf(options.extras);
  const guarded = new Set<string>();
  app.decorateRequest('keyed', null);
  app.decorateRequest('tx', null as unknown as pg.ClientBase);

  app.addHook('onRoute', (route) => {
    if (route.config?.idempotent !== true) return;
    for (const method of [route.method].flat()) guarded.add(`${method} ${route.url}`);
    const { handler } = route;
    route.handler = async function (request, reply) {
      if (!METHODS.has(request.method)) return handler.call(this, request, reply);
      if ((await open(request, reply, options, sealer())) === 'answered') return reply;
      try {
        const result: unknown = handler.call(this, request, reply);
        if (result === undefined) return await answeredLater(request, reply);
        return await Promise.resolve(result);
      } finally {
        request.keyed?.rest();
        await dropIfTakenOver(request, reply);
      }
    };
  });
  // A route that was there before would run without its key.
  app.addHook('onRequest', async ({ routeOptions: { config, url }, method }) => {
    if (config.idempotent === true && !guarded.has(`${method} ${url}`)) {
      throw new Error(`Call addIdempotency before the route ${method} ${url} is added.`);
    }
  });

  // The answer is stored before it is sent: whoever has it may count on it.
  app.addHook('onSend', async (request, reply, payload) => {
    const { keyed } = request;
    if (!keyed?.open) return payload;
    if (!stores(reply.statusCode)) {
      await keyed.abandon();
      return payload;
    }
    const { statusCode: status } = reply;
    try {
      await keyed.finish({ status, headers: pick(reply, names), body: asBytes(payload) });
    } catch (error) {
      // What stands for the answer says nothing of a resource that is not there.
      for (const name of [...names, 'set-cookie']) reply.removeHeader(name);
      reply.code(500);
      throw error;
    }
    return payload;
  });
  app.addHook('onResponse', async (request) => request.keyed?.abandon());
}

/** Begins the request's transaction, or answers in place of the handler. */
async function open(
  request: FastifyRequest,
  reply: FastifyReply,
  options: IdempotencyOptions,
  sealer: Sealer,
): Promise<'open' | 'answered'> {
  const { waitMs = 10_000, ttlMs = DAY_MS, idleMs = 30_000 } = options;
  try {
    const times = { waitMs, ttlMs, idleMs };
    const keyed = new KeyedTransaction(options.pool, readRequest(request, options), times, sealer);
    request.keyed = keyed;
    const stored = await keyed.begin();
    if (stored) {
      answerAgain(reply, stored);
      return 'answered';
    }
    // A time limit of the route (`handlerTimeout`) was over while this waited.
    if (reply.sent) {
      await keyed.abandon();
      return 'answered';
    }
    request.tx = keyed.client;
    return 'open';
  } catch (error) {
    const refusal = asRefusal(error);
    if (!refusal) throw isUnreadable(error) ? Object.assign(error, { statusCode: 503 }) : error;
    answerRefusal(reply, refusal);
    return 'answered';
  }
}

/** Another process may have the key: the caller is to ask again. */
function isUnreadable(error: unknown): error is AgentOnceError {
  return error instanceof AgentOnceError && error.code === 'payload.unreadable';
}

/**
 * For a handler without a promise, which answers through `reply` when it is ready: this never
 * resolves, since the end of a connection is not the end of a handler.
 */
function answeredLater(request: FastifyRequest, reply: FastifyReply): Promise<never> {
  reply.raw.once('close', () => void dropIfTakenOver(request, reply));
  return new Promise(() => undefined);
}

/** After `reply.hijack()` there will be no answer to store. */
async function dropIfTakenOver({ keyed }: FastifyRequest, { sent }: FastifyReply): Promise<void> {
  if (sent) await keyed?.abandon();
}

function readRequest(
  request: FastifyRequest,
  { tenantOf = () => '', required = false }: IdempotencyOptions,
): KeyedRequest | undefined {
  const { raw, server } = request;
  if (mayHaveUnseenLines(raw.rawHeaders, server.server.maxHeadersCount)) {
    throw new RefusedRequest(
      'key.invalid',
      'The header of the request has more lines than are read: a second Idempotency-Key may be among them. Nothing was done.',
    );
  }
  const key = readIdempotencyKey(keyLinesOf(raw));
  if (key === undefined) {
    if (required) throw missing();
    return undefined;
  }
  const { method, url } = request;
  // The query is compared with the body: with another one, the key names another request.
  const [path = url] = url.split('?', 1);
  return { tenant: tenantOf(request), key, method, path, fingerprint: fingerprintOf(request) };
}

function answerAgain(reply: FastifyReply, { status, headers, body }: StoredAnswer): void {
  void reply
    .code(status)
    .headers(headers)
    .header('idempotent-replayed', 'true')
    // Bytes without a type would get one that the first answer did not have.
    .send(body.length === 0 ? undefined : body);
}

function pick(reply: FastifyReply, names: readonly string[]): Record<string, string> {
  const found = names.flatMap((name) => {
    const value = reply.getHeader(name);
    return value === undefined ? [] : [[name, String(value)] as const];
  });
  return Object.fromEntries(found);
}

function asBytes(payload: unknown): Buffer {
  if (payload === undefined || payload === null) return Buffer.alloc(0);
  if (typeof payload === 'string') return Buffer.from(payload);
  if (payload instanceof Uint8Array) return Buffer.from(payload);
  throw new Error('An idempotent route answers with text, JSON or bytes, not with a stream.');
}

function missing(): RefusedRequest {
  return new RefusedRequest(
    'http.key_missing',
    'The Idempotency-Key header is missing. Send a new UUID v4 for each new request, and the same one whenever it is repeated. Nothing was done.',
  );
}
