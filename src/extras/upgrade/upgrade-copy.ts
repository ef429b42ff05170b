import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { AgentOnceError } from '../../contract/errors.ts';
import { newEntries } from './changes.ts';
import { generate, isOwners, type Choices } from './generate.ts';
import { mergeVersions, type Merged } from './merge-versions.ts';
import { git, NOBODY, run } from './run.ts';

/** What an upgrade has done, or would do. */
export interface Upgraded extends Merged {
  /** Versions of the template. */
  before: string;
  after: string;
  /** What git says of each file of the template that is another now: `M\tsrc/x.ts`. */
  files: string[];
  /** What the template's changelog says of it. */
  news: string;
  /** The composition's lines for the extras that are new here. */
  toCompose: string[];
}

interface Wanted {
  /** Folder or git URL of the template. */
  from: string;
  /** Extras to add. */
  added: readonly string[];
  dryRun: boolean;
}

const BRANCH = 'agent-once';

/**
 * Commits the template's new version on the branch `agent-once`, and merges it into the current one.
 *
 * @param root of the copy
 * @throws {AgentOnceError} `usage`: not possible here; `part.failed`: git or the new version's
 *   generator failed. Nothing was changed then
 */
export function upgradeCopy(root: string, { from, added, dryRun }: Wanted): Upgraded {
  const choices = readChoices(root);
  requireReady(root);
  const before = git(root, 'rev-parse', BRANCH);
  const work = fs.mkdtempSync(path.join(tmpdir(), 'agent-once-upgrade-'));
  const template = path.join(work, 'template');
  try {
    clone(root, from, template);
    const after = inWorktree(root, path.join(work, 'pristine'), before, (folder) =>
      commitVersion(folder, template, {
        ...choices,
        // One whose folder was deleted here is not wanted any more.
        extras: [...choices.extras.filter((extra) => isHere(root, extra)), ...added],
      }),
    );
    const show = (commit: string, file: string): string =>
      run('git', ['show', `${commit}:${file}`], root).stdout;
    const extras = (JSON.parse(show(after, 'agent-once.json')) as Choices).extras;
    const toCompose = extras
      .filter((extra) => !isHere(root, extra))
      .flatMap((extra) => compositionOf(extra, show(after, `src/extras/${extra}/index.ts`)));
    if (!dryRun) git(root, 'update-ref', `refs/heads/${BRANCH}`, after);
    const merged = dryRun
      ? inWorktree(root, path.join(work, 'trial'), 'HEAD', (trial) =>
          mergeVersions(trial, after, { lockToo: false }),
        )
      : mergeVersions(root, after, { lockToo: true });
    return {
      before: versionOf(show(before, 'agent-once.json')),
      after: versionOf(show(after, 'agent-once.json')),
      files: git(root, 'diff', '--name-status', '-M', before, after).split('\n').filter(Boolean),
      news: newEntries(show(before, CHANGELOG), show(after, CHANGELOG)),
      toCompose,
      ...merged,
    };
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
    git(root, 'worktree', 'prune');
  }
}

const CHANGELOG = 'docs/changelog.md';

function versionOf(choices: string): string {
  return (JSON.parse(choices) as { version: string }).version;
}

function isHere(root: string, extra: string): boolean {
  return fs.existsSync(path.join(root, 'src/extras', extra));
}

/** The two lines of an extra in `src/app/compose.ts`; none where it adds nothing to the program. */
function compositionOf(extra: string, index: string): string[] {
  const [, kind, name] = /^export (const|function) (\w+)/m.exec(index) ?? [];
  if (name === undefined) return [];
  return [
    `import { ${name} } from '../extras/${extra}/index.ts';`,
    `    ${name}${kind === 'function' ? '()' : ''},`,
  ];
}

function readChoices(root: string): Choices {
  const file = path.join(root, 'agent-once.json');
  if (fs.existsSync(file)) return JSON.parse(fs.readFileSync(file, 'utf8')) as Choices;
  throw refusal('This is no copy that "agent-once new" made: it has no agent-once.json.');
}

function requireReady(root: string): void {
  const top = run('git', ['rev-parse', '--show-prefix'], root);
  if (top.code !== 0 || top.stdout.trim() !== '') {
    throw refusal('The copy must be a git repository of its own, or git cannot merge.');
  }
  if (git(root, 'status', '--porcelain') !== '') {
    throw refusal('There are changes that are not committed. Commit or stash them first.');
  }
  if (git(root, 'branch', '--show-current') === BRANCH) {
    throw refusal(`The branch ${BRANCH} is the template's. Switch to yours first.`);
  }
  if (run('git', ['var', 'GIT_COMMITTER_IDENT'], root).code !== 0) {
    throw refusal('git does not know who you are: set user.name and user.email.');
  }
  const exists = (ref: string) => run('git', ['rev-parse', '--verify', ref], root).code === 0;
  if (exists(`refs/heads/${BRANCH}`)) return;
  if (!exists(`refs/remotes/origin/${BRANCH}`)) {
    throw refusal(
      `There is no branch ${BRANCH} here or at origin. Fetch it, or make it at the commit that "agent-once new" made: git branch ${BRANCH} COMMIT`,
    );
  }
  git(root, 'branch', '--quiet', BRANCH, `origin/${BRANCH}`);
}

function refusal(why: string): AgentOnceError {
  return new AgentOnceError('usage', `${why} Nothing was changed.`);
}

/** With the copy's packages: the generator needs no others. */
function clone(root: string, from: string, target: string): void {
  const url = fs.existsSync(from) ? pathToFileURL(path.resolve(from)).href : from;
  git(root, 'clone', '--quiet', '--depth=1', '--', url, target);
  if (!fs.existsSync(path.join(target, 'src/extras/template/generate/main.ts'))) {
    throw refusal(`${from} is not the template, or a version of it that makes no copies.`);
  }
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(target, 'node_modules'), 'junction');
}

function inWorktree<T>(
  root: string,
  folder: string,
  commit: string,
  work: (folder: string) => T,
): T {
  git(root, ...NOBODY, 'worktree', 'add', '--quiet', '--detach', folder, commit);
  try {
    return work(folder);
  } finally {
    git(root, 'worktree', 'remove', '--force', folder);
  }
}

/** @returns the commit of the new version, or that of the old one where they are the same */
function commitVersion(folder: string, template: string, choices: Choices): string {
  for (const file of git(folder, 'ls-files', '-z').split('\0')) {
    if (file !== '' && !isOwners(file)) fs.rmSync(path.join(folder, file));
  }
  const { version } = generate(template, { ...choices, folder, upgrade: true });
  git(folder, 'add', '--all');
  if (git(folder, 'status', '--porcelain') !== '') {
    const from = git(template, 'rev-parse', '--short', 'HEAD');
    git(folder, ...NOBODY, 'commit', '--quiet', '-m', `agent-once ${version} (${from})`);
  }
  return git(folder, 'rev-parse', 'HEAD');
}
