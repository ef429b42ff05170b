import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { commandFor, startCommandFor } from '../../src/cli/commands.ts';
import { ANSWER_COMMANDS } from '../../src/contract/decision-words.ts';
import { workflowIdOf } from '../../src/contract/key.ts';
import { drawWaiting } from '../../src/workflows/waiting-details.ts';
import { hasExtra, testWith } from '../support/extras.ts';
import { read, runs } from '../support/read-commands.ts';

const agent = 'support';
const NAMES = [
  'status',
  'resume',
  'cancel',
  ...(hasExtra('explain') ? ['explain'] : []),
  ...(hasExtra('maintenance') ? ['forget'] : []),
];
/** The commands that answer are those of an extra. */
const ASKED = hasExtra('decisions') ? (['approval', 'outcome'] as const) : [];

describe('a command that is printed names the same run when it is typed, whatever its key is', () => {
  test('of a run, of a step, of its answers', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (many) => {
        const refs = many.map((run) => ({ agent, ...run }));
        const step = 't12.c3';
        for (const name of NAMES) {
          expect(await read(refs.map((ref) => commandFor(name, ref)))).toMatchObject(
            refs.map(({ key, tenant }) => ({
              command: name,
              operands: [agent, key],
              options: { tenant },
            })),
          );
        }
        expect(await read(refs.map((ref) => commandFor('result', ref, ['--wait'])))).toMatchObject(
          refs.map(({ key, tenant }) => ({
            operands: [agent, key],
            options: { tenant, wait: true },
          })),
        );
        expect(
          await read(refs.map((ref) => commandFor('resume', ref, ['--max-turns 4']))),
        ).toMatchObject(
          refs.map(({ key, tenant }) => ({
            command: 'resume',
            operands: [agent, key],
            options: { tenant, maxTurns: 4 },
          })),
        );
        for (const kind of ASKED) {
          const commands = refs.flatMap((ref) =>
            ANSWER_COMMANDS[kind].map(({ name, options }) => commandFor(name, ref, options, step)),
          );
          const each = commands.length / refs.length;
          expect(await read(commands)).toMatchObject(
            refs.flatMap(({ key, tenant }) =>
              Array.from({ length: each }, () => ({
                operands: [agent, key, step],
                options: { tenant },
              })),
            ),
          );
        }
      }),
      { numRuns: 25 },
    );
  });

  test('that starts it', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (many) => {
        const starts = many.map((run) => startCommandFor({ agent, ...run }, ['--retry-failed']));
        expect(await read(starts)).toMatchObject(
          many.map(({ key, tenant }) => ({
            command: 'start',
            operands: [agent],
            options: { key, tenant, retryFailed: true },
          })),
        );
      }),
      { numRuns: 25 },
    );
  });

  testWith('decisions')(
    'in Temporal UI, where a key that is hashed there has to be filled in',
    async () => {
      const question = {
        step: 't1.c0',
        kind: 'approval',
        tool: 'spend',
        summary: 'spend',
        digest: 'd',
        round: 1,
        deadline: '2026-01-01T00:00:00Z',
        otherwise: 'fail',
        worker: null,
        claimedAt: null,
        error: null,
      } as unknown as Parameters<typeof drawWaiting>[0][number];
      await fc.assert(
        fc.asyncProperty(runs, async (many) => {
          for (const { key, tenant } of many) {
            const inId = keyInId(key);
            const lines = drawWaiting([question], { tenant, agent, key: inId });
            const commands = lines.flatMap((line) => /^- `(agent-once .*)`$/.exec(line)?.[1] ?? []);
            expect(commands).toHaveLength(2);
            const named = inId.startsWith('~') ? 'KEY' : key;
            for (const { operands, options } of await read(commands)) {
              expect(operands).toEqual([agent, named, 't1.c0']);
              expect(options).toMatchObject({ tenant });
            }
          }
        }),
        { numRuns: 10 },
      );
    },
  );
});

/** The key as it stands in the workflow ID. */
function keyInId(key: string): string {
  return workflowIdOf({ tenant: 'default', agent, key }).slice(`agent-${agent}-`.length);
}
