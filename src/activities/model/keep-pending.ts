import { Context } from '@temporalio/activity';
import type { Asking } from '../../contract/asking.ts';
import { defined } from '../../contract/defined.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import type { Ledger } from '../../ledger/port.ts';
import { ModelError, type Background } from '../../model/port.ts';
import type { ActivityDeps } from '../deps.ts';
import { haltOf } from '../step/halt.ts';
import { CLAIM_LOST } from '../step/lease.ts';
import { untilAnswered } from '../step/until-answered.ts';
import type { Granted } from '../step/work.ts';

/** What a step's row says of whom it asks, and the keeping of it while it is asked. */
export interface KeptAsking {
  /** As the row has it by now. */
  asking: Asking;
  background: Background;
}

/**
 * Keeps the response that an endpoint makes in the background for a step, in the step's row: whoever
 * claims the step next finds it there.
 *
 * @param model the name of the model that is asked, among the run's
 * @param asking without a response
 */
export async function keepPending(
  deps: ActivityDeps,
  { claim, round, signal, asking: before }: Granted,
  model: string,
  asking: Asking,
): Promise<KeptAsking> {
  const { ledger } = deps;
  const context = Context.current();
  const bare: Asking = defined({ ...asking, pending: undefined });
  const left = before?.pending;
  const write = async (next: Asking): Promise<void> => {
    const ours = await untilAnswered(() => ledger.keepAsking(claim, next), signal);
    if (!ours) throw new AgentOnceError('step.claim_lost', CLAIM_LOST);
    kept.asking = next;
  };
  const fits = left?.endpoint === model && left.round === round;
  const kept: KeptAsking = {
    asking: left ? { ...bare, pending: left } : bare,
    background: {
      pending: fits ? left : undefined,
      async keep(response) {
        if (response) {
          await write({ ...bare, pending: { ...response, endpoint: model, round } }).catch(notKept);
          return;
        }
        await noteLeft(ledger, { claim, asking: before });
        await write(bare);
      },
      isCancelled: () => haltOf(deps, context) === 'cancelled',
    },
  };
  if (left && !fits) await kept.background.keep(undefined);
  return kept;
}

/** Notes a response that was perhaps paid for, and that nobody asks for any more. */
export async function noteLeft(
  ledger: Ledger,
  { claim, asking }: Pick<Granted, 'claim' | 'asking'>,
): Promise<void> {
  if (asking?.pending) await ledger.note(claim.scope, claim.step, LEFT);
}

const LEFT = {
  code: 'model.response_lost',
  message: 'An answer was made in the background that is no longer asked for: another counts.',
};

function notKept(error: unknown): never {
  if (error instanceof AgentOnceError && error.code === 'step.claim_lost') throw error;
  throw new ModelError(
    'model.broken_off',
    'The model endpoint makes the answer in the background, and the ledger did not take its ID.',
    { retryable: true },
  );
}
