import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type pg from 'pg';
import { z } from 'zod';
import { countRequest, readCounters, resetShop } from './counters.ts';
import type { Queryable } from './database.ts';
import { listEmails, sendEmail } from './emails.ts';
import { faultOrder, Faults } from './faults.ts';
import { once } from './idempotency.ts';
import { eurosAsCents } from './money.ts';
import { bookRefund, listOrders, listRefunds, readOrder } from './orders.ts';
import { ShopError } from './shop-error.ts';

const orderNumber = z.coerce.number().int().positive().max(2_147_483_647);
// PostgreSQL's text has no NUL.
const text = z
  .string()
  .trim()
  .min(1)
  .max(10_000)
  .regex(/^[^\0]*$/, 'has a NUL character');
const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'Idempotency-Key: 1 to 255 printable ASCII characters')
  .optional();
const refundRequest = z.object({ order: orderNumber, amountEur: eurosAsCents, reason: text });
const emailRequest = z.object({ to: z.email(), subject: text, body: text });

export function addRoutes(app: FastifyInstance, pool: pg.Pool): void {
  const faults = new Faults();

  app.get('/', () => ({ shop: 'the example shop of agent-once', orders: '/orders' }));
  app.get('/orders', () => listOrders(pool));
  app.get<{ Params: { id: string } }>('/orders/:id', async (request, reply) => {
    if (await faults.play('orders', 'before', reply)) return reply;
    return readOrder(pool, orderNumber.parse(request.params.id));
  });

  app.get<{ Querystring: { order?: string } }>('/refunds', (request) =>
    listRefunds(pool, orderNumber.optional().parse(request.query.order)),
  );
  app.post('/refunds', (request, reply) =>
    answerOnce('refunds', request, reply, refundRequest, (tx, refund, key) =>
      bookRefund(tx, { ...refund, cents: refund.amountEur, key }),
    ),
  );

  app.get('/emails', () => listEmails(pool));
  app.post('/emails', (request, reply) =>
    answerOnce('emails', request, reply, emailRequest, (tx, email, key) =>
      sendEmail(tx, { ...email, key }),
    ),
  );

  app.get('/counters', () => readCounters(pool));
  app.post('/reset', async () => {
    await resetShop(pool);
    return readCounters(pool);
  });
  app.get('/faults', () => ({ faults: faults.list() }));
  app.post('/faults', (request) => {
    faults.add(faultOrder.parse(request.body).faults);
    return { faults: faults.list() };
  });
  app.delete('/faults', () => {
    faults.clear();
    return { faults: [] };
  });

  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'No such page.' }));
  app.setErrorHandler((error, _request, reply) => {
    const { status, message } = explain(error);
    return reply.code(status).send({ error: message });
  });

  /** Counts the request, then does its effect once per `Idempotency-Key`. */
  async function answerOnce<Schema extends z.ZodType<object>>(
    endpoint: 'refunds' | 'emails',
    request: FastifyRequest,
    reply: FastifyReply,
    schema: Schema,
    effect: (tx: Queryable, body: z.output<Schema>, key: string | undefined) => Promise<object>,
  ): Promise<unknown> {
    await countRequest(pool, endpoint);
    if (await faults.play(endpoint, 'before', reply)) return reply;
    const body = schema.parse(request.body);
    const key = idempotencyKey.parse(request.headers['idempotency-key']);
    const done = await once(pool, { endpoint, key, body }, (tx) => effect(tx, body, key));
    if (await faults.play(endpoint, 'after-commit', reply)) return reply;
    if (done.replayed) reply.header('Idempotent-Replayed', 'true');
    return reply.code(201).send(done.answer);
  }
}

function explain(error: unknown): { status: number; message: string } {
  if (error instanceof ShopError) return error;
  if (error instanceof z.ZodError) return { status: 400, message: z.prettifyError(error) };
  const { statusCode = 503, message } = error as Error & { statusCode?: number };
  // fastify's own: a body that is not JSON, and the like.
  if (statusCode < 500) return { status: statusCode, message };
  console.error(`shop: ${message}`);
  return { status: 503, message: 'The shop has a problem with its database. Try again.' };
}
