import type { FastifyInstance, FastifyRequest, RouteShorthandOptions } from 'fastify';
import type pg from 'pg';
import { z } from 'zod';
import { addIdempotency } from '../../src/extras/idempotency/plugin.ts';
import { countRequest, readCounters, resetShop } from './counters.ts';
import { listEmails, sendEmail } from './emails.ts';
import { faultOrder, Faults } from './faults.ts';
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
const refundRequest = z.object({ order: orderNumber, amountEur: eurosAsCents, reason: text });
const emailRequest = z.object({ to: z.email(), subject: text, body: text });
type RefundRequest = z.output<typeof refundRequest>;
type EmailRequest = z.output<typeof emailRequest>;

export function addRoutes(app: FastifyInstance, pool: pg.Pool): void {
  const faults = new Faults();
  // A refused request leaves its key free: what is not in stock today may be tomorrow.
  addIdempotency(app, { pool, tenantOf: () => 'shop', stores: (status) => status < 400 });

  app.get('/', () => ({ shop: 'the example shop of agent-once', orders: '/orders' }));
  app.get('/orders', () => listOrders(pool));
  app.get<{ Params: { id: string } }>('/orders/:id', async (request, reply) => {
    if (await faults.play('orders', 'before', reply)) return reply;
    return readOrder(pool, orderNumber.parse(request.params.id));
  });

  app.get<{ Querystring: { order?: string } }>('/refunds', (request) =>
    listRefunds(pool, orderNumber.optional().parse(request.query.order)),
  );
  app.post<{ Body: RefundRequest }>(
    '/refunds',
    effect('refunds', refundRequest),
    async (request, reply) => {
      const { amountEur: cents, ...refund } = request.body;
      const key = keyOf(request);
      return reply.code(201).send(await bookRefund(request.tx, { ...refund, cents, key }));
    },
  );

  app.get('/emails', () => listEmails(pool));
  app.post<{ Body: EmailRequest }>(
    '/emails',
    effect('emails', emailRequest),
    async (request, reply) =>
      reply.code(201).send(await sendEmail(request.tx, { ...request.body, key: keyOf(request) })),
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

  /** A route whose effect happens once per key: counts its requests, and plays its faults. */
  function effect(endpoint: 'refunds' | 'emails', schema: z.ZodType) {
    const options: RouteShorthandOptions = {
      config: { idempotent: true },
      preValidation: async (request, reply) => {
        await countRequest(pool, endpoint);
        if (await faults.play(endpoint, 'before', reply)) return reply;
        request.body = schema.parse(request.body);
        return undefined;
      },
      // The answer is stored by now.
      onSend: (_request, reply, payload) => faults.playOnAnswer(endpoint, reply, payload),
    };
    return options;
  }
}

/** As it was sent: the shop shows which key an effect had. */
function keyOf({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key'];
  return typeof key === 'string' ? key : undefined;
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
