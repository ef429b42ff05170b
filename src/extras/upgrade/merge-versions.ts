import fs from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { AgentOnceError } from '../../contract/errors.ts';
import { mergePackages } from './merge-package.ts';
import { git, lock, run } from './run.ts';

/** What a merge came to. */
export interface Merged {
  /** `false`: everything was merged before. */
  anything: boolean;
  /** Files in conflict: the merge waits for a person. */
  conflicts: string[];
  /** Keys of `package.json` that were changed here and in the template: those of here stayed. */
  kept: string[];
  /** What npm said where it could not make the lock file; it is the template's then. */
  lockProblem?: string;
}

type Package = Record<string, unknown>;

/** What the lock file depends on. */
const LOCKED = [
  'name',
  'version',
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
  'overrides',
  'workspaces',
];

/**
 * Merges a version of the template into what is checked out, and commits unless something is in
 * conflict. `package.json` is merged by its keys, the lock file made anew.
 *
 * @param lockToo `false` for a trial that is thrown away
 * @throws {AgentOnceError} `part.failed`: git could not merge
 */
export function mergeVersions(
  folder: string,
  commit: string,
  { lockToo }: { lockToo: boolean },
): Merged {
  const base = git(folder, 'merge-base', 'HEAD', commit);
  if (base === git(folder, 'rev-parse', commit))
    return { anything: false, conflicts: [], kept: [] };
  const { code, stdout, stderr } = run(
    'git',
    ['merge', '--quiet', '--no-ff', '--no-commit', commit],
    folder,
  );
  const isMerging = run('git', ['rev-parse', '--verify', 'MERGE_HEAD'], folder).code === 0;
  if (code !== 0 && !isMerging) {
    throw new AgentOnceError('part.failed', `git could not merge: ${stderr || stdout}`);
  }
  const [was, own, template] = [base, 'HEAD', commit].map(
    (each) => JSON.parse(git(folder, 'show', `${each}:package.json`)) as Package,
  ) as [Package, Package, Package];
  const { merged, kept } = mergePackages(was, own, template);
  fs.writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(merged, null, 2)}\n`);
  git(folder, 'checkout', commit, '--', 'package-lock.json');
  const isLocked = LOCKED.every((key) => isDeepStrictEqual(merged[key], template[key]));
  const locked = lockToo && !isLocked ? lock(folder, '--prefer-offline', '--loglevel=error') : null;
  git(folder, 'add', 'package.json', 'package-lock.json');
  const conflicts = git(folder, 'diff', '--name-only', '--diff-filter=U').split('\n');
  const unsettled = conflicts.filter((file) => file !== '');
  if (unsettled.length === 0) {
    git(folder, 'commit', '--quiet', '--no-verify', '-m', messageOf(folder, commit));
  }
  return {
    anything: true,
    conflicts: unsettled,
    kept,
    ...(locked && locked.code !== 0 && { lockProblem: locked.stderr.trim() }),
  };
}

function messageOf(folder: string, commit: string): string {
  return `Upgrade to ${git(folder, 'show', '--no-patch', '--format=%s', commit)}`;
}
