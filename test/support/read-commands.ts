import { spawnSync } from 'node:child_process';
import { expect } from '@jest/globals';
import fc from 'fast-check';
import { app } from '../../src/app/compose.ts';
import { bindOptionalValues } from '../../src/cli/options.ts';
import { createProgram } from '../../src/cli/program.ts';

/** What a command is about, once a shell and the command's own parser have read it. */
export interface Read {
  command: string;
  operands: string[];
  options: Record<string, unknown>;
}

/** Reads command lines as a person's shell does, and then as the command does. */
export async function read(lines: readonly string[]): Promise<Read[]> {
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
/** Runs of any keys and tenants. */
export const runs = fc.array(fc.record({ key: anyKey, tenant: anyTenant }), {
  minLength: 1,
  maxLength: 20,
});
