import type { Attributes } from '@opentelemetry/api';
import { isErrorCode } from '../../contract/errors.ts';
import { stepOfActivity } from '../../contract/step-of-activity.ts';
import type { StepRun } from '../../contract/step.ts';
import { GEN_AI } from './gen-ai.ts';

/**
 * Names of our own attributes. A run's key stands in its workflow ID, so neither is in any span: a run
 * is found in Temporal by its run ID.
 */
export const OWN = {
  tenant: 'agent_once.tenant',
  /** Temporal's ID of the execution. */
  runId: 'agent_once.run_id',
  shadow: 'agent_once.shadow',
  step: 'agent_once.step',
  turn: 'agent_once.turn',
  effect: 'agent_once.effect',
  /** `standard` or `fast`. */
  lane: 'agent_once.lane',
  /** Temporal's count of attempts, from 1. */
  attempt: 'agent_once.attempt',
  /** The ledger's count of attempts that were executed. */
  executed: 'agent_once.executed_attempts',
  /** How it ended; `docs/traces.md` has the values. */
  ended: 'agent_once.ended',
  possiblyPaid: 'agent_once.possibly_paid_attempts',
  costUsd: 'agent_once.cost_usd',
  errorType: 'error.type',
} as const;

/** What a span says of a run; anything may be the argument of a workflow of the app's own. */
export function runAttributes(argument: unknown): Attributes {
  const { agent, tenant, shadow } = (argument ?? {}) as Partial<StepRun>;
  return {
    ...(typeof agent === 'string' ? { [GEN_AI.agent]: agent } : {}),
    ...(typeof tenant === 'string' ? { [OWN.tenant]: tenant } : {}),
    ...(shadow === true ? { [OWN.shadow]: true } : {}),
  };
}

/** What a span says of a step, from its activity's argument; nothing of other activities. */
export function stepAttributes(activityType: string, argument: unknown): Attributes {
  const of = stepOfActivity(activityType, argument);
  if (!of) return runAttributes((argument as { run?: unknown } | null | undefined)?.run);
  return { ...runAttributes(of.run), [OWN.turn]: of.turn, [OWN.step]: of.step };
}

/** Of Node and of operating systems, and what classes of errors are called. */
const COMMON_NAME =
  /^(?:E[A-Z][A-Z0-9_]{1,40}|[A-Z][A-Za-z]{0,40}(?:Error|Exception|Failure)|Error)$/;

/**
 * What an error is called: a code of ours, a code of the system, or the name of its class. Anything
 * else that code of a tool may have put there is not shown: it may be a secret.
 */
export function errorType(error: unknown): string {
  const { type, code, name } = (error ?? {}) as Record<'type' | 'code' | 'name', unknown>;
  const found = [type, code, name].find((each) => typeof each === 'string' && each !== '');
  return isErrorCode(found) || COMMON_NAME.test(String(found)) ? String(found) : '_OTHER';
}
