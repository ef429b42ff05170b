import fc from 'fast-check';
import type { Decision, QuestionKind } from '../../../src/contract/decision.ts';
import type { Effect } from '../../../src/contract/step.ts';

/**
 * What somebody does with the one step of a scenario. Nothing in a command depends on what came
 * before: a fence may be one that was never granted, a repeated command is an answer that was lost.
 */
export type Command =
  | {
      do: 'claim';
      /** Number of the invocation. */
      nonce: number;
      run: number;
      effect: Effect;
      digest: 'a' | 'b';
      lease: Lease;
    }
  | { do: 'renew'; fence: number; lease: Lease }
  | { do: 'complete'; fence: number; result: number }
  | { do: 'fail'; fence: number; error: number; counted: boolean }
  | { do: 'abandon'; fence: number; error: number }
  | { do: 'note'; error: number }
  | { do: 'ask'; kind: QuestionKind; fence: number; run: number; digest: 'a' | 'b'; valid: Lease }
  | { do: 'decide'; decision: Decision; result: number | null; round: number | null }
  | { do: 'retire' }
  | { do: 'read' };

/** `over`: it is over as soon as it is granted. */
export type Lease = 'live' | 'over';

/** How the step is to be claimed, and whether a model's turn has planned it before. */
export interface Scenario {
  effect: Effect;
  planned: boolean;
}

/** Executed attempts allowed in one execution. */
export const MAXIMUM_ATTEMPTS = 2;

// Few values, so that commands meet: the same fence, nonce, answer.
const fence = fc.oneof(
  { weight: 3, arbitrary: fc.constant(1) },
  { weight: 2, arbitrary: fc.constant(2) },
  { weight: 1, arbitrary: fc.constant(3) },
);
const run = fc.integer({ min: 0, max: 1 });
const error = fc.integer({ min: 1, max: 3 });
const lease = fc.constantFrom<Lease>('live', 'over');
const digest = fc.oneof(
  { weight: 25, arbitrary: fc.constant('a' as const) },
  { weight: 1, arbitrary: fc.constant('b' as const) },
);
const constant = <T extends string>(name: T): fc.Arbitrary<T> => fc.constant(name);

export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  effect: fc.constantFrom<Effect>('keyed', 'reconcile', 'at-most-once', 'at-most-once'),
  planned: fc.boolean(),
});

/** @param without commands to leave out */
export function commands(
  { effect }: Scenario,
  without: readonly Command['do'][] = [],
): fc.Arbitrary<Command> {
  const effects = fc.oneof(
    { weight: 12, arbitrary: fc.constant(effect) },
    { weight: 1, arbitrary: fc.constantFrom<Effect>('keyed', 'at-most-once') },
  );
  const of: { [Name in Command['do']]: [number, fc.Arbitrary<Command & { do: Name }>] } = {
    claim: [
      30,
      fc.record({
        do: constant('claim'),
        nonce: fc.integer({ min: 0, max: 3 }),
        run,
        effect: effects,
        digest,
        lease,
      }),
    ],
    renew: [6, fc.record({ do: constant('renew'), fence, lease })],
    complete: [
      6,
      fc.record({ do: constant('complete'), fence, result: fc.integer({ min: 1, max: 3 }) }),
    ],
    fail: [9, fc.record({ do: constant('fail'), fence, error, counted: fc.boolean() })],
    abandon: [9, fc.record({ do: constant('abandon'), fence, error })],
    note: [2, fc.record({ do: constant('note'), error })],
    ask: [
      12,
      fc.record({
        do: constant('ask'),
        kind: fc.constantFrom<QuestionKind>('outcome', 'outcome', 'approval'),
        fence,
        run,
        digest,
        valid: lease,
      }),
    ],
    decide: [
      14,
      fc.record({
        do: constant('decide'),
        decision: fc.constantFrom<Decision>(
          'happened',
          'did-not-happen',
          'did-not-happen',
          'fail',
          'approve',
          'deny',
        ),
        result: fc.option(fc.integer({ min: 1, max: 2 }), { freq: 2 }),
        round: fc.oneof(
          { weight: 4, arbitrary: fc.constant(null) },
          { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 }) },
        ),
      }),
    ],
    retire: [1, fc.record({ do: constant('retire') })],
    read: [2, fc.record({ do: constant('read') })],
  };
  const names = Object.keys(of) as Command['do'][];
  return fc.oneof(
    ...names
      .filter((name) => !without.includes(name))
      .map((name) => ({ weight: of[name][0], arbitrary: of[name][1] as fc.Arbitrary<Command> })),
  );
}

/**
 * One after another; some are repeated at once or a little later, as after an answer that was lost.
 */
export function plans(
  command: fc.Arbitrary<Command>,
  { minLength = 0, maxLength }: { minLength?: number; maxLength: number },
): fc.Arbitrary<Command[]> {
  const entry = fc.record({ command, repeatAfter: fc.option(fc.nat({ max: 2 }), { freq: 1 }) });
  return fc
    .array(entry, { minLength, maxLength, size: 'max' })
    .map((entries) =>
      entries.flatMap(({ command: next }, i) => [
        next,
        ...entries
          .filter(({ repeatAfter }, j) => repeatAfter !== null && j + repeatAfter === i)
          .map((entry) => entry.command),
      ]),
    );
}
