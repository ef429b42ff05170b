import { z } from 'zod';
import { ACTION_KINDS, FATES, type NextAction } from '../explain/next-actions.ts';
import { schemaOf } from './schema-of.ts';
import { decision } from './schemas.ts';

/** An action of `next` as HTTP describes it; `src/extras/explain/next-actions.ts` says what is what. */
export const nextAction = schemaOf<NextAction>()(
  z
    .strictObject({
      kind: z.enum(ACTION_KINDS),
      commands: z.array(
        z.strictObject({
          name: z.string(),
          options: z.array(z.string()),
          decision: decision.nullable(),
        }),
      ),
      step: z.string().nullable(),
      steps: z.array(z.strictObject({ fate: z.enum(FATES), ids: z.array(z.string()) })),
      until: z.iso.datetime().nullable(),
      after: z.enum(ACTION_KINDS).nullable(),
    })
    .meta({ id: 'NextAction', description: 'Something that a person can do now' }),
);
