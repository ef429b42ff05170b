import type { Queryable } from './database.ts';
import { formatEuros, toEuros } from './money.ts';
import { ShopError } from './shop-error.ts';

interface OrderRow {
  id: number;
  customer: string;
  email: string;
  items: string[];
  total_cents: number;
  refunded_cents: number;
}

export async function readOrder(db: Queryable, id: number): Promise<object> {
  return toOrder(await findOrder(db, id));
}

export async function listOrders(db: Queryable): Promise<object[]> {
  const { rows } = await db.query<OrderRow>('SELECT * FROM shop.orders ORDER BY id');
  return rows.map(toOrder);
}

export async function listRefunds(db: Queryable, order?: number): Promise<object[]> {
  const { rows } = await db.query<RefundRow>(
    'SELECT * FROM shop.refunds WHERE $1::int IS NULL OR order_id = $1 ORDER BY id',
    [order ?? null],
  );
  return rows.map(toRefund);
}

/**
 * Books a refund, in the caller's transaction.
 *
 * @throws {ShopError} 404, 409: more than what is left of the order
 */
export async function bookRefund(
  tx: Queryable,
  refund: { order: number; cents: number; reason: string; key: string | undefined },
): Promise<object> {
  // The lock makes concurrent refunds of an order take turns.
  const order = await findOrder(tx, refund.order, 'FOR UPDATE');
  const left = order.total_cents - order.refunded_cents;
  if (refund.cents > left) {
    throw new ShopError(
      409,
      `Order ${order.id} has ${formatEuros(left)} left to refund, ${formatEuros(refund.cents)} were asked for. Nothing was refunded.`,
    );
  }
  await tx.query('UPDATE shop.orders SET refunded_cents = refunded_cents + $2 WHERE id = $1', [
    order.id,
    refund.cents,
  ]);
  const { rows } = await tx.query<RefundRow>(
    `INSERT INTO shop.refunds (order_id, amount_cents, reason, idempotency_key)
     VALUES ($1, $2, $3, $4) RETURNING *`,
    [order.id, refund.cents, refund.reason, refund.key],
  );
  return toRefund(rows[0] as RefundRow);
}

async function findOrder(db: Queryable, id: number, lock = ''): Promise<OrderRow> {
  const { rows } = await db.query<OrderRow>(`SELECT * FROM shop.orders WHERE id = $1 ${lock}`, [
    id,
  ]);
  if (!rows[0]) throw new ShopError(404, `There is no order ${id}.`);
  return rows[0];
}

function toOrder(row: OrderRow) {
  return {
    order: row.id,
    customer: row.customer,
    email: row.email,
    items: row.items,
    totalEur: toEuros(row.total_cents),
    refundedEur: toEuros(row.refunded_cents),
    refundableEur: toEuros(row.total_cents - row.refunded_cents),
  };
}

interface RefundRow {
  id: string;
  order_id: number;
  amount_cents: number;
  reason: string;
  idempotency_key: string | null;
  booked_at: Date;
}

function toRefund(row: RefundRow) {
  return {
    refund: Number(row.id),
    order: row.order_id,
    amountEur: toEuros(row.amount_cents),
    reason: row.reason,
    idempotencyKey: row.idempotency_key,
    bookedAt: row.booked_at.toISOString(),
  };
}
