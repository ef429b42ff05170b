// Another version of Node than the one that runs this, from npm: kept in .cache, fetched once.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/**
 * @param {string} version `24`, or `24.21.0`
 * @returns the path of its program; ends the process where it cannot be had
 */
export function otherNode(version) {
  const wanted = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const folder = path.join(root, '.cache', `node-${version}`);
  const program = path.join(folder, 'node_modules', wanted, 'bin', 'node');
  if (!fs.existsSync(program)) {
    console.error(`Installing Node ${version} from npm (${wanted})`);
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
    const options = ['--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'];
    spawnSync('npm', ['install', ...options, `${wanted}@${version}`], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    });
  }
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  if (stdout?.startsWith(`v${version}`)) return program;
  console.error(`There is no Node ${version} for this system at npm, or it does not run here.`);
  return process.exit(1);
}
