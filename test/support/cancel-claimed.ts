import { expect } from '@jest/globals';
import type { RunRef } from '../../src/client/types.ts';
import { eventually } from './eventually.ts';
import type { TestSystem } from './system.ts';
import { untilEnd } from './until-end.ts';

/** Cancels a run once its first call is at work: it ends cancelled, and the claim is given back. */
export async function cancelOnceClaimed(
  { client, ledger, scopeOf }: TestSystem,
  ref: RunRef,
  workflowId: string,
): Promise<void> {
  const scope = await scopeOf(workflowId);
  await eventually(async () =>
    expect(await ledger.step(scope, 't1.c0')).toMatchObject({ state: 'claimed' }),
  );
  await client.cancel(ref);
  const view = await untilEnd(client, ref);
  expect(view.status).toBe('cancelled');
  expect(await ledger.step(scope, 't1.c0')).toMatchObject({
    state: 'failed',
    errors: [{ code: 'step.cancelled' }],
  });
}
