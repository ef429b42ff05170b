import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { OpenQuestion } from '../../src/contract/decision.ts';
import { LIMITS } from '../../src/contract/limits.ts';
import { NO_USAGE, type RunState } from '../../src/contract/run.ts';
import { bytesOfText, cutToBytes } from '../../src/contract/text-bytes.ts';
import { drawDetails, type StepRow } from '../../src/workflows/details.ts';
import { callLine, waitLine } from '../../src/workflows/step-lines.ts';
import { waitingMemo } from '../../src/workflows/waiting-memo.ts';

/** One to four bytes, what JSON and Markdown write longer, and half of a surrogate pair. */
const UNITS = ['a', 'é', '語', '👍', '\u0001', '"', '\\', '|', '\u202e', '\n', '\ud83d'];
/** Up to a few times what a worker lets through: other versions wrote longer ones. */
const text = fc
  .tuple(fc.constantFrom(...UNITS), fc.array(fc.constantFrom(...UNITS)), fc.nat(8_000))
  .map(([unit, start, times]) => start.join('') + unit.repeat(times));
const anyQuestions = fc
  .array(
    fc.record({
      kind: fc.constantFrom('approval' as const, 'outcome' as const),
      round: fc.integer({ min: 1, max: 99 }),
      summary: text,
      worker: fc.option(text),
      error: fc.option(text),
    }),
    { maxLength: LIMITS.callsPerTurn },
  )
  .map((all) =>
    all.map((some, index): OpenQuestion => ({
      step: `t1.c${index}`,
      tool: 'send',
      askedAt: '2026-01-01T00:00:00.000Z',
      deadline: '2026-01-02T00:00:00.000Z',
      otherwise: 'fail',
      claimedAt: '2026-01-01T00:00:00.000Z',
      ...some,
    })),
  );
const run = { tenant: 'default', agent: 'support', key: "'".repeat(255) };

describe('however many questions a run has, and however long their texts are,', () => {
  test('the memo is small, shows the first of them and says how many more there are', () => {
    fc.assert(
      fc.property(anyQuestions, (questions) => {
        const memo = waitingMemo(questions);
        // As the server gets it, in bytes.
        expect(Buffer.byteLength(JSON.stringify(memo))).toBeLessThan(
          LIMITS.memoQuestionsBytes + 100,
        );
        const shown = memo.waiting ?? [];
        expect(shown.length + (memo.waitingMore ?? 0)).toBe(questions.length);
        expect(shown.length > 0).toBe(questions.length > 0);
        expect(memo.waitingMore).not.toBe(0);
        for (const [at, { cut, ...preview }] of shown.entries()) {
          const whole = questions[at];
          expect([preview.step, preview.round]).toEqual([whole?.step, whole?.round]);
          expect(cut === true).toBe(JSON.stringify(preview) !== JSON.stringify(whole));
        }
      }),
    );
  });

  test('the details of Temporal UI are small, and say how many more there are', () => {
    fc.assert(
      fc.property(anyQuestions, fc.nat(100), (waiting, ended) => {
        const row = (step: string, state: StepRow['state'], summary = ''): StepRow => ({
          step,
          activity: 'tool.send',
          summary,
          state,
        });
        const rows = [
          ...Array.from({ length: ended }, (_, at) => row(`t0.c${at}`, 'done')),
          ...waiting.map(({ step, summary }) => row(step, 'waiting', summary)),
        ];
        const state = { status: 'waiting', turn: 1, maxTurns: 8, waiting, usage: NO_USAGE };
        const details = drawDetails({ ...state, active: [] } as RunState, rows, run);
        expect(Buffer.byteLength(details)).toBeLessThanOrEqual(LIMITS.detailsBytes);
        const lines = details.split('\n');
        const asked = lines.filter((line) => line.startsWith('- `t1.c')).length;
        const [, more = '0'] = /^- and (\d+) more: /m.exec(details) ?? [];
        expect(asked + Number(more)).toBe(waiting.length);
        const drawn = lines.filter((line) => line.startsWith('| t')).length;
        const [, left = '0'] = /; (\d+) more are not shown here\.$/m.exec(details) ?? [];
        expect(drawn + Number(left)).toBe(rows.length);
      }),
    );
  });

  test('the names of their activities and timers are what the server takes', () => {
    fc.assert(
      fc.property(anyQuestions, (questions) => {
        for (const question of questions) {
          const { summary } = question;
          for (const line of [
            waitLine(question),
            callLine(12_345, summary, true, undefined),
            callLine(12_345, summary, false, 'did-not-happen'),
          ]) {
            expect(Buffer.byteLength(line)).toBeLessThanOrEqual(LIMITS.summaryBytes);
            expect(line.isWellFormed()).toBe(true);
          }
        }
      }),
    );
  });
});

test('a text that is cut has at most so many bytes, is well-formed, and says that it is cut', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 20, max: 5_000 }), (whole, most) => {
      const kept = cutToBytes(whole, most);
      expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(most);
      expect(bytesOfText(kept)).toBe(Buffer.byteLength(kept));
      expect(kept.isWellFormed()).toBe(true);
      if (Buffer.byteLength(whole) <= most) expect(kept).toBe(whole.toWellFormed());
      else expect(kept).toMatch(/ … \(cut\)$/);
    }),
  );
});
