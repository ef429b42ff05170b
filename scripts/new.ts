// Writes a tool or an agent of your own into src/app, with a test:
//
//   npm run new tool NAME -- --effect keyed
//   npm run new agent NAME
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { agentFiles } from './new/agent.ts';
import { EFFECTS, isEffect } from './new/effects.ts';
import { namesOf } from './new/names.ts';
import { toolFiles } from './new/tool.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const USAGE = `npm run new tool NAME -- --effect EFFECT
npm run new agent NAME

Effects: what may happen when an attempt ends and nobody knows how.
${Object.entries(EFFECTS)
  .map(([effect, when]) => `  ${effect.padEnd(14)} ${when}`)
  .join('\n')}`;

try {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { effect: { type: 'string' } },
  });
  const [kind, name, word, ...more] = positionals;
  const isUsage = kind === 'agent' ? word === undefined : kind === 'tool';
  if (name === undefined || more.length > 0 || !isUsage) throw new RangeError(USAGE);
  const names = namesOf(name);
  if (kind === 'agent') {
    await write(agentFiles(names));
    const line = `export { ${names.variable} } from './${names.file}.ts';\n`;
    fs.appendFileSync(path.join(ROOT, 'src/app/agents/index.ts'), line);
    console.log(`src/app/agents/index.ts names it. Next: its instructions and its tools.`);
  } else {
    // Without the two dashes npm takes the option for its own: some hand on its value as a word.
    const effect = values.effect ?? word ?? process.env['npm_config_effect'] ?? '';
    if (!isEffect(effect)) throw new RangeError(`Say which effect it has.\n\n${USAGE}`);
    await write(toolFiles(names, effect, listMigrations()));
    console.log(`Next: what it does, and its name in the \`tools\` of an agent in src/app/agents.`);
  }
} catch (error) {
  if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

function listMigrations(): string[] {
  const folder = path.join(ROOT, 'src/app/migrations');
  return fs.existsSync(folder) ? fs.readdirSync(folder) : [];
}

/** Writes all of them or none: no file is overwritten. */
async function write(files: Readonly<Record<string, string>>): Promise<void> {
  const targets = Object.entries(files).map(([file, text]) => ({
    file,
    text,
    target: path.join(ROOT, file),
  }));
  const there = targets.filter(({ target }) => fs.existsSync(target)).map(({ file }) => file);
  if (there.length > 0) throw new RangeError(`${there.join(', ')}: is there already.`);
  const options = await resolveConfig(path.join(ROOT, 'package.json'));
  for (const { file, text, target } of targets) {
    const written = file.endsWith('.ts')
      ? await format(text, { ...options, filepath: file })
      : text;
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, written, { flag: 'wx' });
    console.log(`wrote ${file}`);
  }
}
