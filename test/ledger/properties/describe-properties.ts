import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Ledger } from '../../../src/ledger/port.ts';
import type { LedgerBackend } from '../contract.ts';
import { commands, plans, scenarios, type Command } from './commands.ts';
import { checkHistory, type Event } from './invariants.ts';
import { Model, type Seen } from './model.ts';
import { RealStep } from './perform.ts';
import { TEST_NET_MS } from '../../support/nets.ts';

const WORKERS = 4;
/**
 * Not among commands at once: these are two statements in PostgreSQL, and whoever comes in between
 * may see the one without the other.
 */
const ALONE = ['ask', 'retire'] as const;

/**
 * What every backend promises, whatever is done in whatever order.
 *
 * @param runs how many scenarios each property is tried with
 */
export function describeClaimProperties(
  name: string,
  create: () => Promise<LedgerBackend>,
  runs: number,
): void {
  describe(`the claim protocol on ${name}`, () => {
    let backend: LedgerBackend | undefined;
    const workers: Ledger[] = [];
    beforeAll(async () => {
      backend = await create();
      for (let i = 0; i < WORKERS; i++) workers.push(await backend.open());
    });
    afterAll(async () => {
      await Promise.all(workers.map((worker) => worker.close()));
      await backend?.drop();
    });
    const worker = (i: number): Ledger => {
      const found = workers[i % workers.length];
      if (!found) throw new Error('the ledger did not open');
      return found;
    };
    // Shrinking takes its time.
    const limitMs = TEST_NET_MS + runs * 1_000;

    test(
      'does what the model does, one command after another',
      async () => {
        const inputs = scenarios.chain((scenario) =>
          fc.record({
            scenario: fc.constant(scenario),
            plan: plans(commands(scenario), { minLength: 5, maxLength: 30 }),
          }),
        );
        const property = fc.asyncProperty(inputs, async ({ scenario, plan }) => {
          const real = await RealStep.prepare(worker(0), scenario);
          const model = new Model(scenario);
          for (const [i, command] of plan.entries()) {
            expect(await real.do(worker(i), command)).toEqual(model.do(command));
          }
          expect(await real.record(worker(0))).toEqual(model.record());
        });
        await fc.assert(property, { numRuns: runs });
      },
      limitMs,
    );

    test(
      'answers commands at once as if they had come in some order',
      async () => {
        const inputs = scenarios.chain((scenario) => {
          const branch = fc.array(commands(scenario, ALONE), { minLength: 1, maxLength: 3 });
          return fc.record({
            scenario: fc.constant(scenario),
            before: plans(commands(scenario, ['retire']), { maxLength: 6 }),
            branches: fc.array(branch, { minLength: 2, maxLength: 3 }),
          });
        });
        const property = fc.asyncProperty(inputs, async ({ scenario, before, branches }) => {
          const real = await RealStep.prepare(worker(0), scenario);
          const model = new Model(scenario);
          for (const command of before) {
            expect(await real.do(worker(0), command)).toEqual(model.do(command));
          }
          const answered = await Promise.all(
            branches.map((branch, i) => runBranch(real, worker(i), branch)),
          );
          const end = await real.record(worker(0));
          if (!isExplained(model, answered, end)) {
            throw new Error(`No order explains ${JSON.stringify({ answered, end }, null, 1)}`);
          }
        });
        await fc.assert(property, { numRuns: runs });
      },
      limitMs,
    );

    test(
      'keeps its promises among many who do as they like',
      async () => {
        const inputs = scenarios.chain((scenario) =>
          fc.record({
            scenario: fc.constant(scenario),
            branches: fc.array(plans(commands(scenario), { minLength: 5, maxLength: 12 }), {
              minLength: 3,
              maxLength: 5,
              size: 'max',
            }),
          }),
        );
        const property = fc.asyncProperty(inputs, async ({ scenario, branches }) => {
          const real = await RealStep.prepare(worker(0), scenario);
          const history: Event[] = [];
          let clock = 0;
          await Promise.all(
            branches.map(async (branch, i) => {
              for (const command of branch) {
                const sent = clock++;
                const seen = await real.do(worker(i), command);
                history.push({ command, seen, sent, answered: clock++ });
              }
            }),
          );
          checkHistory(history, await real.record(worker(0)));
        });
        await fc.assert(property, { numRuns: runs });
      },
      limitMs,
    );
  });
}

type Answered = { command: Command; seen: Seen }[];

async function runBranch(
  real: RealStep,
  ledger: Ledger,
  branch: readonly Command[],
): Promise<Answered> {
  const answered: Answered = [];
  for (const command of branch) answered.push({ command, seen: await real.do(ledger, command) });
  return answered;
}

/** Whether the model gives all these answers in some order that keeps that of each branch. */
function isExplained(model: Model, branches: readonly Answered[], end: Seen): boolean {
  if (branches.every((branch) => branch.length === 0)) {
    return isDeepStrictEqual(model.record(), end);
  }
  return branches.some(([next, ...rest], i) => {
    if (!next) return false;
    const after = model.copy();
    if (!isDeepStrictEqual(after.do(next.command), next.seen)) return false;
    return isExplained(after, branches.with(i, rest), end);
  });
}
