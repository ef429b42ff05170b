import { expect } from '@jest/globals';
import type { JsonValue } from '../../src/contract/json-value.ts';
import { eventually } from './eventually.ts';
import { calls, script, type TestSystem } from './system.ts';

/** Calls of one turn that each ask a person whether they happened. */
export const MANY = 40;
export const STEPS = Array.from({ length: MANY }, (_, index) => `t1.c${index}`);

/** A run whose first turn asks them all: each call throws six kilobytes after its effect. */
export function askMany(name: string): { agent: string; key: string; input: JsonValue } {
  const loud = STEPS.map((step): [string, JsonValue] => [
    'send',
    { label: `loud-${name}-${step}` },
  ]);
  return { agent: 'tester', key: name, input: script(calls(...loud), { say: 'ok' }) };
}

/** Starts it, and waits until it asks them all. */
export async function untilAllAsked({ client }: TestSystem, name: string): Promise<void> {
  const run = askMany(name);
  await client.start(run);
  await eventually(async () => {
    const { status, error, waiting } = await client.describe(run);
    expect({ status, error, steps: waiting.map(({ step }) => step) }).toEqual({
      status: 'waiting',
      error: null,
      steps: STEPS,
    });
  });
}
