// Everything that holds the code's structure, in one command. Goes on after a failure, so that one
// run shows all there is to mend.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const all = [
  { title: 'Types', command: 'tsc', args: ['--noEmit'] },
  {
    title: 'Types of workflows, without Node',
    command: 'tsc',
    args: ['--noEmit', '-p', 'src/workflows'],
  },
  { title: 'Lint and import rules', command: 'oxlint', args: ['--deny-warnings', '.'] },
  { title: 'Unused files, exports, dependencies', command: 'knip', args: ['--no-progress'] },
  {
    title: 'The figures of the house',
    command: process.execPath,
    args: ['--import', './bin/register-typescript.js', 'scripts/house.ts'],
    // A copy of this template has none.
    file: 'scripts/house.ts',
  },
  {
    title: 'Format',
    command: 'prettier',
    args: ['--check', '--cache', '--log-level', 'warn', '.'],
  },
];

const root = new URL('..', import.meta.url);
const checks = all.filter(({ file }) => file === undefined || existsSync(new URL(file, root)));
const failed = [];
for (const { title, command, args } of checks) {
  console.log(`\n── ${title}: ${path.basename(command)} ${args.join(' ')}`);
  const started = performance.now();
  // A path and not npx: half a second less each.
  const { status, error } = spawnSync(
    path.isAbsolute(command) ? command : `node_modules/.bin/${command}`,
    args,
    {
      cwd: root,
      stdio: 'inherit',
      shell: process.platform === 'win32',
    },
  );
  if (error) console.error(error.message);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`   ${status === 0 ? 'passed' : 'FAILED'} in ${seconds} s`);
  if (status !== 0) failed.push(title);
}

const passed = checks.length - failed.length;
console.log(
  `\n${passed} passed, ${failed.length} failed${failed.length ? `: ${failed.join('; ')}` : ''}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
