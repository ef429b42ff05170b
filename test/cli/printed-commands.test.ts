import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { app } from '../../src/app/compose.ts';
import { batchCommandFor } from '../../src/extras/batch/show-batch.ts';
import { commandFor, startCommandFor } from '../../src/cli/commands.ts';
import { bindOptionalValues } from '../../src/cli/options.ts';
import { createProgram } from '../../src/cli/program.ts';
import { ANSWER_COMMANDS } from '../../src/contract/decision-words.ts';
import { workflowIdOf } from '../../src/contract/key.ts';
import { drawWaiting } from '../../src/workflows/waiting-details.ts';

/** What a command is about, once a shell and the command's own parser have read it. */
interface Read {
  command: string;
  operands: string[];
  options: Record<string, unknown>;
}

/** Reads command lines as a person's shell does, and then as the command does. */
async function read(lines: readonly string[]): Promise<Read[]> {
  const text = lines
    .map((line) => `printf '%s\\0' ${line.replace(/^\S+( \S+\.js)? /, '')}; printf '\\n\\0'`)
    .join('\n');
  const { stdout, status } = spawnSync('sh', ['-c', text], { encoding: 'utf8' });
  expect(status).toBe(0);
  const words = stdout.split('\n\0').slice(0, -1);
  return Promise.all(words.map((each) => parse(each.split('\0').slice(0, -1))));
}

async function parse(argv: string[]): Promise<Read> {
  const program = createProgram({ ...app, agents: () => Promise.resolve([]) });
  program.configureOutput({ writeErr: () => {}, writeOut: () => {} });
  let found: Read | undefined;
  for (const command of program.commands) {
    command.exitOverride().action(() => {
      found = { command: command.name(), operands: command.args, options: command.opts() };
    });
  }
  await program.parseAsync(bindOptionalValues(program, argv), { from: 'user' });
  if (!found) throw new Error(`No command was read in ${JSON.stringify(argv)}.`);
  return found;
}

const PRINTABLE = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));
const anyKey = fc.oneof(
  fc.string({ unit: fc.constantFrom(...PRINTABLE), minLength: 1, maxLength: 40 }),
  fc.constantFrom(
    '-y',
    't1.c0',
    '--tenant=acme',
    '--',
    '-',
    '--yes',
    '-h',
    '--help',
    "'",
    '$(x)',
    '~',
  ),
);
const anyTenant = fc.constantFrom('default', 'acme');
const runs = fc.array(fc.record({ key: anyKey, tenant: anyTenant }), {
  minLength: 1,
  maxLength: 20,
});
const agent = 'support';

describe('a command that is printed names the same run when it is typed, whatever its key is', () => {
  test('of a run, of a step, of its answers', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (many) => {
        const refs = many.map((run) => ({ agent, ...run }));
        const step = 't12.c3';
        for (const name of ['status', 'explain', 'resume', 'cancel', 'forget']) {
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
        for (const kind of ['approval', 'outcome'] as const) {
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

  test('that starts it, alone or in a batch', async () => {
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
        const batches = many.map((run) => batchCommandFor({ agent, file: run.key, ...run }));
        expect(await read(batches)).toMatchObject(
          many.map(({ key, tenant }) => ({
            operands: [agent],
            options: { key, tenant, batch: key },
          })),
        );
      }),
      { numRuns: 25 },
    );
  });

  test('in Temporal UI, where a key that is hashed there has to be filled in', async () => {
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
  });
});

/** The key as it stands in the workflow ID. */
function keyInId(key: string): string {
  return workflowIdOf({ tenant: 'default', agent, key }).slice(`agent-${agent}-`.length);
}
