import { describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type { JsonValue } from '../../../src/contract/json.ts';
import type { Ledger } from '../../../src/ledger/port.ts';
import { claimed, plannedStep, stepClaim } from '../steps.ts';

const VALUES: [string, JsonValue][] = [
  ['null', null],
  ['a null character', { 'a\0b': 'c\0d' }],
  ['a lone surrogate', 'x\ud800y'],
  ['numbers', [0.1, 1e21, -5e-324, 9007199254740991]],
  ['member order', { b: 1, a: 2, 10: 3 }],
  ['a text just below compression', 'x'.repeat(2045)],
  ['a compressible text', 'lorem ipsum '.repeat(10_000)],
  ['an incompressible text', randomBytes(300_000).toString('base64')],
];

export function testRecords(ledger: () => Ledger): void {
  describe('a record', () => {
    test.each(VALUES)('brings back %s as it was', async (_, value) => {
      const step = stepClaim({ request: value });
      const claim = await claimed(ledger(), step);
      await ledger().complete(claim, {
        result: value,
        planned: [plannedStep(1, { request: value })],
      });
      const [first, planned] = await ledger().steps(step.scope);
      expect(JSON.stringify(first?.result)).toBe(JSON.stringify(value));
      expect(JSON.stringify(first?.request)).toBe(JSON.stringify(value));
      expect(JSON.stringify(planned?.request)).toBe(JSON.stringify(value));
      expect(first?.resultBytes).toBe(Buffer.byteLength(JSON.stringify(value)));
    });

    test('says what was done, by whom and when', async () => {
      const step = stepClaim({ request: { order: 1042 } });
      await ledger().complete(await claimed(ledger(), step), { result: 'ok' });
      const record = await ledger().step(step.scope, step.step);
      expect(record).toEqual({
        scope: step.scope,
        step: 't1.c0',
        turn: 1,
        askedDigest: null,
        askedRequest: null,
        kind: 'tool',
        name: 'lookup_order',
        effect: 'read',
        digest: step.digest,
        state: 'completed',
        request: { order: 1042 },
        result: 'ok',
        resultBytes: 4,
        knownBy: null,
        sharedWith: null,
        fence: '1',
        attempts: 1,
        unknownAttempts: 0,
        round: 0,
        unusableAnswers: 0,
        asking: null,
        errors: [],
        inputTokens: null,
        outputTokens: null,
        costUsd: null,
        workflowId: step.workflowId,
        runId: step.runId,
        worker: step.worker,
        claimedAt: expect.stringMatching(/^\d{4}-.*Z$/),
        endedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      });
    });

    test('that does not exist is undefined, and a scope without steps is empty', async () => {
      const { scope, step } = stepClaim();
      expect(await ledger().step(scope, step)).toBeUndefined();
      expect(await ledger().steps(scope)).toEqual([]);
    });
  });

  test('the transcript is in order: by turn, the model first, then calls by number', async () => {
    const scope = stepClaim().scope;
    for (const turn of [10, 2, 1]) {
      const model = stepClaim({ scope, turn, step: `t${turn}.model`, kind: 'model', effect: null });
      const planned = Array.from({ length: 12 }, (_, i) =>
        plannedStep(i, { turn, step: `t${turn}.c${i}` }),
      );
      const claim = await claimed(ledger(), model);
      await ledger().complete(claim, { result: turn, planned: planned.toReversed() });
    }
    const expected = [1, 2, 10].flatMap((turn) => [
      `t${turn}.model`,
      ...Array.from({ length: 12 }, (_, i) => `t${turn}.c${i}`),
    ]);
    expect((await ledger().steps(scope)).map(({ step }) => step)).toEqual(expected);
    const before = await ledger().earlier(scope, 10);
    expect(before.map(({ step }) => step)).toEqual(expected.slice(0, 26));
    const digest = 'a'.repeat(64);
    const later = await ledger().earlier(scope, 10, 2);
    expect(later.map(({ step }) => step)).toEqual(expected.slice(13, 26));
    const withoutNonces = before.map(({ nonce: _nonce, ...step }) => step);
    expect(withoutNonces.slice(13, 15)).toEqual([
      {
        step: 't2.model',
        state: 'completed',
        edited: false,
        digest: expect.any(String),
        request: null,
        result: 2,
      },
      {
        step: 't2.c0',
        state: 'planned',
        edited: false,
        digest,
        request: { order: 1040 },
        result: null,
      },
    ]);
    expect(await ledger().earlier(scope, 1)).toEqual([]);
  });
}
