import { AgentOnceError } from '../../contract/errors.ts';
import { run } from './run.ts';

/** What a copy is made of; kept in it, as `agent-once.json`, for its upgrades. */
export interface Choices {
  name: string;
  extras: readonly string[];
  example: boolean;
}

/** What the generator is asked for. Versions differ: what is added must be optional. */
export interface Order extends Choices {
  /** Exists. */
  folder: string;
  /** Whether what is its owner's is left out. */
  upgrade?: boolean;
}

export interface Size {
  files: number;
  /** Lines of the app, the engine and the extras. */
  source: number;
  tests: number;
  pages: number;
}

/** What was written. */
export interface Written extends Size {
  version: string;
  extras: string[];
}

/** Its owner's from the first day on: no upgrade writes them. */
export function isOwners(file: string): boolean {
  return file === 'README.md' || file.startsWith('src/app/') || file.startsWith('examples/');
}

/**
 * Writes a copy of the template at `root` by its own generator, in a process of its own: it may be
 * of another version than this.
 *
 * @throws {AgentOnceError} `usage`: there is no such extra; `part.failed`
 */
export function generate(root: string, order: Order): Written {
  const main = 'src/extras/template/generate/main.ts';
  const args = ['--import', './bin/register-typescript.js', main, JSON.stringify(order)];
  const { code, stdout, stderr } = run(process.execPath, args, root);
  if (code === 0) return JSON.parse(stdout) as Written;
  throw new AgentOnceError(code === 2 ? 'usage' : 'part.failed', stderr.trim());
}
