import type { Asking } from '../../contract/asking.ts';
import { defined } from '../../contract/defined.ts';
import type { AgentSettings } from '../../contract/settings.ts';
import { modelStep, type ModelStepInput } from '../../contract/step.ts';
import type { EarlierStep } from '../../ledger/port.ts';
import type { ModelError } from '../../model/port.ts';
import type { AskingFailed, Failure } from '../step/failures.ts';
import { asTurnRecord } from './turn-record.ts';

/** An endpoint may be busy for a moment; so often in a row it is not for a moment. */
const OVERLOADS = 3;
/** Nor is one that asks to wait for longer, while another model could answer. */
const LONGEST_WAIT_MS = 60_000;

/** The models of a run, by the names that it has for them: the first is asked first. */
export function modelsOf(
  { model }: ModelStepInput,
  settings: AgentSettings,
): [string, ...string[]] {
  const first = model ?? settings.model;
  return [first, ...(settings.fallbacks ?? []).filter((name) => name !== first)];
}

/**
 * Which of a run's models an attempt asks. A turn begins where the turn before it was answered, a run
 * that is resumed at the first.
 *
 * @param asking what earlier attempts of the step have left
 */
export function modelToAsk(
  models: readonly [string, ...string[]],
  { turn, resumed }: ModelStepInput,
  runId: string,
  asking: Asking | null,
  earlier: readonly EarlierStep[],
): string {
  const [first] = models;
  const known = (name: string | undefined) => models.find((each) => each === name) ?? first;
  if (asking?.pending && models.includes(asking.pending.endpoint)) return asking.pending.endpoint;
  if (asking?.runId === runId) return known(asking.endpoint);
  if (resumed) return first;
  const before = earlier.find(({ step }) => step === modelStep(turn - 1))?.result;
  return before ? known(asTurnRecord(before).answeredBy) : first;
}

/** How an attempt failed, and where the step goes on. */
type After = Pick<AskingFailed, 'failure' | 'asking' | 'moves'>;

/**
 * Where a step goes on after one of its models has failed: with the next one where this one refused for
 * good, or was overloaded too often. Nothing was paid for then.
 *
 * @param attempts that the policy has: with fewer, fewer overloads are enough
 * @param before what the step's row has
 * @param answered what was asked is over, and so is a response in the background
 */
export function afterFailure(
  { refusal }: ModelError,
  failure: Failure,
  models: readonly string[],
  attempts: number,
  before: Asking,
  answered: boolean,
): After {
  const { endpoint, runId } = before;
  const overloads = refusal === 'overloaded' ? before.overloads + 1 : 0;
  const next = models[models.indexOf(endpoint) + 1];
  const isLong = refusal === 'overloaded' && (failure.retryAfterMs ?? 0) > LONGEST_WAIT_MS;
  const isRefused = refusal === 'for-good' || overloads >= Math.min(OVERLOADS, attempts);
  if (next !== undefined && (isRefused || isLong)) {
    const { code } = failure;
    const message = `${failure.message} The next attempt asks the model "${next}".`;
    const asking = { endpoint: next, runId, overloads: 0 };
    return { failure: { code, message, retryable: true }, asking, moves: true };
  }
  const { pending, ...bare } = before;
  const counts = models.length > 1 && overloads !== before.overloads;
  if (!counts && !(answered && pending)) return { failure, asking: undefined, moves: false };
  const asking = defined({ ...bare, overloads, pending: answered ? undefined : pending });
  return { failure, asking, moves: false };
}
