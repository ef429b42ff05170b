import type { OpenQuestion } from '../../../contract/decision.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import type { HttpSuite } from './support/http-suite.ts';
import { calls, script } from '../../../../test/support/system.ts';

export interface Told {
  status: number;
  body: Record<string, unknown>;
}

/** Starts a run of `tester` that asks whether it may spend, and waits until it asks. */
export async function askToSpend(suite: HttpSuite, label: string): Promise<OpenQuestion[]> {
  const input = script(calls(['spend', { label, amount: 100 }]), { say: 'ok' });
  await suite.start(`"${label}"`, { input });
  return untilAsked(suite, label);
}

export function untilAsked(suite: HttpSuite, label: string): Promise<OpenQuestion[]> {
  return eventually(async () => {
    const answer = await suite.send('GET', runPath(label), { headers: { prefer: 'wait=10' } });
    const { status, waiting } = (await answer.json()) as {
      status: string;
      waiting: OpenQuestion[];
    };
    if (status !== 'waiting') throw new Error(`The run of ${label} is ${status}`);
    return waiting;
  });
}

export async function untilCompleted(suite: HttpSuite, label: string): Promise<void> {
  await eventually(async () => {
    const answer = await suite.send('GET', runPath(label), { headers: { prefer: 'wait=10' } });
    const { status } = (await answer.json()) as { status: string };
    if (status !== 'completed') throw new Error(`The run of ${label} is ${status}`);
  });
}

/** Answers what a run asks about its first call, once. */
export async function decideOnce(
  suite: HttpSuite,
  label: string,
  decision: Record<string, unknown>,
): Promise<Told> {
  const path = `${runPath(label)}/steps/t1.c0/decision`;
  const answer = await suite.send('POST', path, { body: { by: 'ann', ...decision } });
  return { status: answer.status, body: (await answer.json()) as Told['body'] };
}

/** As a client does it that repeats what is not settled. */
export async function decideUntilTold(
  suite: HttpSuite,
  label: string,
  decision: Record<string, unknown>,
): Promise<Told> {
  return eventually(async () => {
    const told = await decideOnce(suite, label, decision);
    const again = told.status >= 500 || told.body['code'] === 'run.still_running';
    if (again) throw new Error(`${label} was told ${told.status} ${String(told.body['code'])}`);
    return told;
  });
}

export function runPath(label: string): string {
  return `/v1/runs/agent-tester-${label}`;
}
