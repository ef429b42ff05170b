import { z } from 'zod';

/** An amount as the world writes it, `25`, `12.5` or `"25.00"` euros; as cents inside. */
export const eurosAsCents = z
  .union([z.number(), z.string()])
  .transform(String)
  .pipe(z.string().regex(/^\d{1,7}(\.\d{1,2})?$/, 'is no amount in euros such as 25 or "12.50"'))
  .transform((text) => {
    const [euros = '0', cents = ''] = text.split('.');
    return Number(euros) * 100 + Number(cents.padEnd(2, '0'));
  })
  .refine((cents) => cents > 0, 'must be more than nothing');

export function toEuros(cents: number): number {
  return cents / 100;
}

export function formatEuros(cents: number): string {
  return `${(cents / 100).toFixed(2)} EUR`;
}
