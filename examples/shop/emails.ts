import type { Queryable } from './database.ts';

interface EmailRow {
  id: string;
  recipient: string;
  subject: string;
  body: string;
  idempotency_key: string | null;
  sent_at: Date;
}

/** "Sends" an e-mail: it is a row in a table, and leaves with the caller's transaction. */
export async function sendEmail(
  tx: Queryable,
  email: { to: string; subject: string; body: string; key: string | undefined },
): Promise<object> {
  const { rows } = await tx.query<EmailRow>(
    `INSERT INTO shop.emails (recipient, subject, body, idempotency_key)
     VALUES ($1, $2, $3, $4) RETURNING *`,
    [email.to, email.subject, email.body, email.key],
  );
  const { email: number, to, sentAt } = toEmail(rows[0] as EmailRow);
  return { email: number, to, sentAt };
}

export async function listEmails(db: Queryable): Promise<object[]> {
  const { rows } = await db.query<EmailRow>('SELECT * FROM shop.emails ORDER BY id');
  return rows.map(toEmail);
}

function toEmail(row: EmailRow) {
  return {
    email: Number(row.id),
    to: row.recipient,
    subject: row.subject,
    body: row.body,
    idempotencyKey: row.idempotency_key,
    sentAt: row.sent_at.toISOString(),
  };
}
