import { describe, expect, test } from '@jest/globals';
import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import fc from 'fast-check';
import { StrayError } from '../../src/activities/step/step-code.ts';
import { wellFormed } from '../../src/activities/create-activities.ts';
import { AgentOnceError } from '../../src/contract/errors.ts';
import { NO_USAGE } from '../../src/contract/run.ts';
import { ModelError } from '../../src/model/port.ts';
import { NotApplied } from '../../src/define/not-applied.ts';
import { failRun } from '../../src/workflows/fail-run.ts';
import { markdownText } from '../../src/workflows/markdown.ts';

/** Texts of which most have half of a surrogate pair somewhere, or where they are cut. */
const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0xd800, max: 0xdfff }), fc.constantFrom(0, 10, 65, 0x1f44d)), {
    maxLength: 40,
  })
  .chain((units) =>
    fc.constantFrom(1, 2_047, 5_000).map((times) => {
      const text = units.map((unit) => String.fromCodePoint(unit)).join('');
      return 'x'.repeat(times) + text + '👍'.repeat(times);
    }),
  );

const THROWN: Record<string, (text: string) => unknown> = {
  'an Error': (text) => new Error(text),
  'an Error of a name of its own': (text) => Object.assign(new Error('no'), { name: text }),
  'an Error with a cause': (text) => new Error(text, { cause: new Error(text) }),
  'a text': (text) => text,
  'an object': (text) => ({ toString: () => text }),
  'an object that cannot be shown': () => Object.create(null),
  'an Error whose message throws': () =>
    Object.defineProperty(new Error(), 'message', {
      get() {
        throw new Error('no');
      },
    }),
  'an Error whose message is no text': () =>
    Object.defineProperty(new Error(), 'message', { value: { deep: 1 } }),
  'a proxy that throws': () =>
    new Proxy(
      {},
      {
        getPrototypeOf() {
          throw new Error('no');
        },
      },
    ),
  'an ApplicationFailure': (text) =>
    ApplicationFailure.create({
      message: text,
      type: text,
      cause: new Error(text),
      details: [text],
    }),
  'a CancelledFailure': (text) => new CancelledFailure(text, [text], new Error(text)),
  'an AgentOnceError': (text) => new AgentOnceError('tool.failed', text),
  'a ModelError': (text) => new ModelError('model.rejected', text, { retryable: false }),
  NotApplied: (text) => new NotApplied(text),
  'an error that nothing awaited': (text) => new StrayError(new Error(text)),
  nothing: () => undefined,
};

describe.each(Object.keys(THROWN))('an activity that throws %s', (name) => {
  test('ends with a short failure whose every string is well-formed', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        const activity = wellFormed(() => Promise.reject(THROWN[name]?.(text)));
        const failure = await activity(undefined as never).catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(ApplicationFailure);
        const { message, type, stack, cause } = failure as ApplicationFailure;
        for (const string of [message, type ?? '', stack ?? '']) {
          expect(string.isWellFormed()).toBe(true);
        }
        expect(message.length).toBeLessThan(4_096);
        expect(cause).toBeUndefined();
      }),
      { numRuns: 30 },
    );
  });
});

test('the failure of a run and texts in its details are well-formed, whatever they are made of', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const failure = failRun(ApplicationFailure.create({ message: text }), { usage: NO_USAGE });
      expect(failure.message.isWellFormed()).toBe(true);
      expect(markdownText(text).isWellFormed()).toBe(true);
    }),
    { numRuns: 30 },
  );
});
