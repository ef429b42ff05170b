// Builds what production needs into `dist`: JavaScript, the ledger's migrations, and the workflows
// as one ready bundle, so that a worker starts without webpack's two seconds.
//
//   node scripts/build.mjs [--out-dir DIR]
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({ options: { 'out-dir': { type: 'string', default: 'dist' } } });
const out = resolve(root, values['out-dir']);
const src = join(root, 'src');

rmSync(out, { recursive: true, force: true });

await step('JavaScript', () => {
  const tsc = join(root, 'node_modules/.bin/tsc');
  const { status, error } = spawnSync(tsc, ['-p', 'tsconfig.build.json', '--outDir', out], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (error) throw error;
  if (status !== 0) throw new Error('The types have errors; nothing usable was built.');
  removeLocalStack();
});

await step('other files', () => {
  cpSync(src, out, {
    recursive: true,
    filter: (path) =>
      !['test', 'template'].includes(basename(path)) &&
      (statSync(path).isDirectory() || !['.ts', '.md'].includes(extname(path))) &&
      !path.endsWith('tsconfig.json'),
  });
});

await step('workflow bundle', async () => {
  const load = (file) => import(pathToFileURL(join(out, file)).href);
  const [{ bundleWorkflows }, { registerPlugins }, { app }] = await Promise.all([
    load('worker/workflow-code.js'),
    load('client/plugins.js'),
    load('app/compose.js'),
  ]);
  registerPlugins(app.extras);
  const { code } = await bundleWorkflows(join(out, 'app'));
  writeFileSync(join(out, 'workflow-bundle.js'), code);
});

/**
 * The local stack needs packages that production does not have, and a checkout around it. Commands
 * load it when they run, so the compiler followed them; what the program imports at its start stays.
 */
function removeLocalStack() {
  const stack = join(out, 'extras/dev');
  if (!existsSync(stack)) return;
  const kept = new Set();
  const keep = (file) => {
    if (kept.has(file)) return;
    kept.add(file);
    const code = readFileSync(file, 'utf8');
    for (const [, to] of code.matchAll(/^(?:import|export)\b[^;]*?from '(\.[^']*)'/gm)) {
      keep(join(dirname(file), to));
    }
  };
  keep(join(out, 'main.js'));
  for (const name of readdirSync(stack, { recursive: true })) {
    const file = join(stack, name);
    if (/\.js(?:\.map)?$/.test(name) && !kept.has(file.replace(/\.map$/, ''))) rmSync(file);
  }
}

/** Runs one part of the build; a part that fails ends it. */
async function step(title, work) {
  const started = performance.now();
  try {
    await work();
  } catch (error) {
    console.error(`${title}: ${error.message}`);
    process.exit(1);
  }
  console.log(`${title}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
