import { z } from 'zod';
import { step } from './explanation-schema.ts';
import { run } from './schemas.ts';

/** An event of `GET /v1/runs/{id}/events`, as the document shows it. `EventStream` writes them. */
export const runEvent = z.discriminatedUnion('event', [
  z.strictObject({
    event: z.literal('step'),
    id: z.string(),
    data: jsonOf('The step as it is at that moment', step),
  }),
  z.strictObject({
    event: z.literal('run'),
    // It has none of its own: a reader that keeps to the standard gives it the last one's.
    id: z.string().optional(),
    data: jsonOf('The run, whenever it changed', run),
  }),
  z.strictObject({
    event: z.literal('end'),
    id: z
      .string()
      .regex(/^end\/./)
      .meta({ description: '`end/` and the ID of the execution' }),
    data: jsonOf('The run at its end', run),
  }),
]);

/** JSON as text, with the schema of what it holds. */
function jsonOf(description: string, of: z.ZodType): z.ZodString {
  return z.string().meta({
    description,
    contentMediaType: 'application/json',
    contentSchema: { $ref: `#/components/schemas/${of.meta()?.id ?? ''}` },
  });
}
