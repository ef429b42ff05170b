// Removes the example: the shop, the support agent, its tools and its tests. What stays is the
// template, with an empty list of agents. In other files, what stands between lines that say
// `example:begin` and `example:end` goes too.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const REMOVED = [
  'examples',
  'src/agents/support.ts',
  'src/tools/lookup-order.ts',
  'src/tools/issue-refund.ts',
  'src/tools/send-email.ts',
  'src/tools/note-on-order.ts',
  'src/tools/shop-client.ts',
  'test/example',
  'test/all/example',
];
const AGENTS = 'src/agents/index.ts';
const KNIP = 'knip.json';
const MARKED_PLACES = ['README.md', 'docs', 'docker-compose.yml', 'Dockerfile', '.ci'];
const MARKED_BLOCK = /^[^\n]*\bexample:begin\b[\s\S]*?\bexample:end\b[^\n]*\n?/gm;

const EMPTY_AGENTS = `import type { AgentDefinition } from './define-agent.ts';

/**
 * Every agent that a worker runs and a client may start. An agent is a file beside this one
 * (\`defineAgent\`), each of its tools a file in \`src/tools\` (\`defineTool\`):
 *
 *     import { clerk } from './clerk.ts';
 *     export const agents: readonly AgentDefinition[] = [clerk];
 */
export const agents: readonly AgentDefinition[] = [];
`;

const NEXT = `
Next:
  1. Write a tool: a file in src/tools with defineTool({ name, description, effect, input, run }).
     Its effect says what may be repeated: docs/promises.md has the table.
  2. Write an agent: a file in src/agents with defineAgent({ name, description, instructions, tools }),
     and add it to the list in src/agents/index.ts.
  3. npm run dev starts all of it; start a run with
     node bin/agent-once.js start <agent> --key my-first --input "…" --wait
  4. npm test and npm run check are green now: commit this first.
`;

const force = process.argv.includes('--force');
const unknown = process.argv.slice(2).filter((argument) => argument !== '--force');
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(' ')}. Usage: npm run eject-example [-- --force]`);
  process.exit(2);
}

const present = REMOVED.filter((path) => existsSync(join(root, path)));
const marked = MARKED_PLACES.flatMap(listFiles).filter((path) => read(path).match(MARKED_BLOCK));
if (present.length === 0 && marked.length === 0) {
  console.log('The example was removed already; there is nothing to do.');
  process.exit(0);
}

const changed = uncommitted([...present, ...marked, AGENTS, KNIP]);
if (changed.length > 0 && !force) {
  console.error(
    `Nothing was removed: these files have changes that are in no commit and would be lost.\n\n${changed.join('\n')}\n\nCommit them, or run: npm run eject-example -- --force`,
  );
  process.exit(1);
}

for (const path of present) {
  rmSync(join(root, path), { recursive: true });
  console.log(`removed  ${path}`);
}
for (const path of marked) change(path, (text) => text.replaceAll(MARKED_BLOCK, ''));
// An agent that was added beside the example stays.
change(AGENTS, (text) => {
  const own = text
    .replace(/^import \{ support \} from .*\n/m, '')
    .replace(/(\[|, )support(, |(?=\]))/, (_, before, after) => (before === '[' ? '[' : after));
  return own.includes('= []') ? EMPTY_AGENTS : own;
});
change(KNIP, (text) =>
  text.replaceAll(/^\s*"examples\/[^"]*",?\n/gm, '').replace('"examples/**", ', ''),
);
console.log(NEXT);

function change(path, edit) {
  if (!existsSync(join(root, path))) return;
  const before = read(path);
  const after = edit(before);
  if (after === before) return;
  writeFileSync(join(root, path), after);
  console.log(`changed  ${path}`);
}

function read(path) {
  return readFileSync(join(root, path), 'utf8');
}

/** The file, or the files in a folder; none where there is nothing. */
function listFiles(path) {
  const full = join(root, path);
  if (!existsSync(full)) return [];
  try {
    return readdirSync(full, { withFileTypes: true }).flatMap((entry) =>
      listFiles(`${path}/${entry.name}`),
    );
  } catch (error) {
    if (error.code === 'ENOTDIR') return [path];
    throw error;
  }
}

/** What git would lose; nothing where there is no git to ask. */
function uncommitted(paths) {
  const { status, stdout } = spawnSync('git', ['status', '--porcelain', '--', ...paths], {
    cwd: root,
    encoding: 'utf8',
  });
  return status === 0 ? stdout.split('\n').filter((line) => line !== '') : [];
}
