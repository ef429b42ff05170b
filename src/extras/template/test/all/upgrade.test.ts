import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { composeOf } from '../../generate/rewrite.ts';
import { newCopy } from '../../new-copy.ts';
import { linkPackages } from '../link-packages.ts';
import { git } from '../../../upgrade/run.ts';

const ROOT = path.resolve(import.meta.dirname, '../../../../..');
const OWN_FILE = 'src/app/agents/calendar.ts';
const EDITED = 'src/contract/hash.ts';
const RENAMED = 'src/contract/old-name.ts';
const DELETED = 'src/contract/old.ts';
const MIGRATION = 'src/ledger/postgres/migrations/0099_new.sql';

let folder: string;
/** The template, in a repository of its own whose versions the tests commit. */
let template: string;
/** As it came from `new`; each test gets a clone of it. */
let first: string;
let copy: string;
let copies = 0;

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'agent-once-upgrades-'));
  template = path.join(folder, 'template');
  for (const file of git(ROOT, 'ls-files', '--cached', '--others', '--exclude-standard').split(
    '\n',
  )) {
    if (/^(?:bench|chaos|fuzz|pictures|prod-like|test\/replay\/histories)\//.test(file)) continue;
    if (!fs.existsSync(path.join(ROOT, file))) continue;
    fs.cpSync(path.join(ROOT, file), path.join(template, file));
  }
  for (const file of [RENAMED, DELETED]) {
    write(template, file, () => `export const of = '${file}';\n// Many\n// lines\n// of\n// it.\n`);
  }
  git(template, 'init', '--quiet', '--initial-branch=main');
  configure(template);
  commit(template);
  first = path.join(folder, 'first');
  newCopy(template, first, { extras: ['explain'], example: false });

  write(template, EDITED, (text) => `// The template's line.\n${text}`);
  git(template, 'mv', RENAMED, 'src/contract/new-name.ts');
  git(template, 'rm', '--quiet', DELETED);
  write(template, 'src/contract/added.ts', () => 'export const added = 1;\n');
  write(template, MIGRATION, () => 'CREATE TABLE agent_once.new (id int);\n');
  write(template, 'src/extras/template/app/agents/calendar.ts', (text) => `// New.\n${text}`);
  write(template, 'package.json', (text) =>
    text.replace('"version": "0.1.0"', '"version": "0.2.0"').replace('"zod": "^', '"zod": ">='),
  );
  write(template, 'CHANGELOG.md', (text) =>
    text.replace('## [', '## [0.2.0]\n\n- Names moved.\n\n## ['),
  );
  commit(template);
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

beforeEach(() => {
  copies += 1;
  copy = path.join(folder, `copy-${copies}`);
  git(folder, 'clone', '--quiet', '--branch=main', first, copy);
  configure(copy);
});

/** A person's name, and the packages of this checkout. */
function configure(repository: string): void {
  git(repository, 'config', 'user.name', 'A person');
  git(repository, 'config', 'user.email', 'person@example.com');
  linkPackages(repository);
}

function commit(repository: string): void {
  git(repository, 'add', '--all');
  git(repository, 'commit', '--quiet', '--message', 'A change');
}

const read = (file: string): string => fs.readFileSync(path.join(copy, file), 'utf8');

function write(repository: string, file: string, change: (text: string) => string): void {
  const target = path.join(repository, file);
  const text = fs.existsSync(target) ? fs.readFileSync(target, 'utf8') : '';
  fs.writeFileSync(target, change(text));
}

function upgrade(...args: string[]): { code: number | null; said: string } {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['bin/agent-once.js', 'upgrade', '--from', template, ...args],
    { cwd: copy, encoding: 'utf8' },
  );
  return { code: status, said: stderr };
}

/** What a person has changed, as the copy's owner may. */
function editAsPerson(): void {
  write(copy, EDITED, (text) => `${text}// A person's line.\n`);
  write(copy, RENAMED, (text) => `${text}// A person's name.\n`);
  write(copy, OWN_FILE, (text) => `${text}// A person's agent.\n`);
  write(copy, 'README.md', () => '# Ours\n');
  write(copy, 'package.json', (text) =>
    text.replace('"scripts": {', '"scripts": {\n    "ours": "true",'),
  );
  commit(copy);
}

describe('an upgrade merges', () => {
  test('an edited engine file, a renamed one, a new and a deleted one, and a new migration', () => {
    editAsPerson();
    const { code, said } = upgrade();
    expect({ code, said }).toEqual({ code: 0, said: expect.stringContaining('0.1.0 → 0.2.0') });
    expect(read(EDITED)).toMatch(/^\/\/ The template's line\.\n[^]*\/\/ A person's line\.\n$/);
    expect(read('src/contract/new-name.ts')).toContain("// A person's name.");
    for (const gone of [RENAMED, DELETED]) expect(fs.existsSync(path.join(copy, gone))).toBe(false);
    expect(read('src/contract/added.ts')).toBe('export const added = 1;\n');
    expect(said).toContain('The ledger gets new tables (0099_new)');
    expect(said).toContain('- Names moved.');
    expect(git(copy, 'status', '--porcelain')).toBe('');
    expect(git(copy, 'log', '-1', '--format=%an %s')).toMatch(
      /^A person Upgrade to agent-once 0\.2\.0/,
    );
  });

  test("package.json by its keys; what is its owner's is not written", () => {
    editAsPerson();
    const before = { agent: read(OWN_FILE), readme: read('README.md') };
    upgrade();
    expect({ agent: read(OWN_FILE), readme: read('README.md') }).toEqual(before);
    const merged = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
    expect(merged['scripts']?.['ours']).toBe('true');
    expect(merged['dependencies']?.['zod']).toMatch(/^>=/);
    const lock = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, typeof merged>;
    };
    expect(lock.packages['']?.['dependencies']).toEqual(merged['dependencies']);
    expect(git(copy, 'log', '--format=%h', 'agent-once..HEAD', '--', OWN_FILE)).not.toBe('');
    expect(git(copy, 'diff', 'agent-once~', 'agent-once', '--', 'src/app', 'README.md')).toBe('');
  });

  test('the lock file anew where a person has other packages', () => {
    write(copy, 'package.json', (text) => text.replace(/\n +"p-retry": .*/, ''));
    commit(copy);
    expect(upgrade().code).toBe(0);
    const lock = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { dependencies: Record<string, string> }>;
    };
    expect(lock.packages['']?.dependencies).not.toHaveProperty('p-retry');
    expect(lock.packages['']?.dependencies['zod']).toMatch(/^>=/);
  });

  test('an extra that is added, and tells the lines for the composition', () => {
    const { code, said } = upgrade('--with', 'service');
    expect(code).toBe(0);
    for (const extra of ['service', 'idempotency']) {
      expect(fs.existsSync(path.join(copy, 'src/extras', extra))).toBe(true);
    }
    expect(said).toContain(
      "    import { service } from '../extras/service/index.ts';\n        service,\n",
    );
    expect(said).not.toContain('import { explain }');
    expect(read('package.json')).toContain('"@fastify/swagger"');
    expect((JSON.parse(read('agent-once.json')) as { extras: string[] }).extras).toContain(
      'service',
    );
  });

  test('nothing of an extra that was deleted here', () => {
    fs.rmSync(path.join(copy, 'src/extras/explain'), { recursive: true });
    write(copy, 'src/app/compose.ts', (text) => composeOf(text, ['dev', 'upgrade']));
    commit(copy);
    expect(upgrade().code).toBe(0);
    expect(fs.existsSync(path.join(copy, 'src/extras/explain'))).toBe(false);
  });

  test('nothing twice', () => {
    expect(upgrade().code).toBe(0);
    const head = git(copy, 'rev-parse', 'HEAD');
    const { code, said } = upgrade();
    expect({ code, said }).toEqual({ code: 0, said: expect.stringContaining('nothing to merge') });
    expect(git(copy, 'rev-parse', 'HEAD')).toBe(head);
  });
});

test('what both changed is left in conflict, with what to do; it can be undone', () => {
  write(copy, EDITED, (text) => `// Ours.\n${text}`);
  commit(copy);
  const head = git(copy, 'rev-parse', 'HEAD');
  const { code, said } = upgrade();
  expect(code).toBe(3);
  expect(said).toContain(`    ${EDITED}`);
  expect(said).toContain('"git merge --abort"');
  expect(read(EDITED)).toContain('<<<<<<<');
  git(copy, 'merge', '--abort');
  expect(git(copy, 'status', '--porcelain')).toBe('');
  expect(git(copy, 'rev-parse', 'HEAD')).toBe(head);
  expect(upgrade().code).toBe(3);
});

test('--dry-run tells of the changes and the conflicts, and changes nothing', () => {
  write(copy, EDITED, (text) => `// Ours.\n${text}`);
  commit(copy);
  const refs = () =>
    git(copy, 'for-each-ref', '--format=%(refname) %(objectname)', 'refs/heads/main');
  const before = refs();
  const { code, said } = upgrade('--dry-run');
  expect({ code, said }).toEqual({
    code: 3,
    said: expect.stringContaining('Nothing was changed.'),
  });
  expect(said).toContain(`    ${EDITED}`);
  expect(refs()).toBe(before);
  expect(git(copy, 'rev-parse', 'agent-once')).toBe(git(copy, 'rev-parse', 'origin/agent-once'));
  expect(git(copy, 'status', '--porcelain')).toBe('');
  expect(git(copy, 'worktree', 'list').split('\n')).toHaveLength(1);
});

test('a work tree with changes is refused, and so is what is no template', () => {
  write(copy, EDITED, (text) => `${text}// Not committed.\n`);
  expect(upgrade()).toEqual({ code: 2, said: expect.stringContaining('not committed') });
  git(copy, 'checkout', '--', '.');
  const { code, said } = upgrade('--from', first);
  expect({ code, said }).toEqual({ code: 2, said: expect.stringContaining('is not the template') });
  expect(git(copy, 'rev-parse', 'HEAD')).toBe(git(copy, 'rev-parse', 'origin/main'));
});
