import { spawn } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROJECT_ROOT } from '../src/extras/dev/paths.ts';
import { cut, type Perform, type Told } from './answer.ts';
import type { Order } from './operations.ts';

const LOADER = pathToFileURL(path.join(PROJECT_ROOT, 'bin/register-typescript.js')).href;
const MAIN = path.join(PROJECT_ROOT, 'fuzz/command-main.ts');
/** Far beyond what any command takes: one that does not end is a finding. */
const ENDS_WITHIN_MS = 120_000;
/** A document about a run is printed with these: done, failed, still running, waiting. */
const TELLS_OF_A_RUN: readonly (number | null)[] = [0, 4, 7, 8];

/** Does what an order says with a process of the command each. */
export function performByCommand(agent: string): Perform {
  return async (order) => {
    const { code, stdout, stderr } = await run([...argumentsOf(order, agent)]);
    let said: Said;
    try {
      said = JSON.parse(stdout) as Said;
    } catch {
      return { code: `exit code ${code} and no JSON`, text: cut(`${stdout}${stderr}`) };
    }
    if (TELLS_OF_A_RUN.includes(code) && said.workflowId !== undefined) return toldOf(order, said);
    // The command's own defects have exit code 1.
    const failure = said.error?.code ?? (code === 0 ? 'ok' : `exit code ${code}`);
    return { code: failure, text: cut(`${stdout}${stderr}`) };
  };
}

/** What `--json` prints, as far as it is looked at. */
interface Said {
  workflowId?: string;
  runId?: string;
  replayed?: boolean;
  error?: { code?: string } | null;
}

function toldOf({ operation }: Order, { runId, replayed }: Said): Told {
  if ((operation !== 'start' && operation !== 'resume') || runId === undefined)
    return { code: 'ok' };
  return { code: 'ok', runId, made: replayed === false };
}

function argumentsOf(
  { operation, key, input, maxTurns, retryFailed, approves }: Order,
  agent: string,
): string[] {
  // Keys may begin with a hyphen: they stand behind `--`, or are one word with their option.
  const named = ['--json', '--', agent, key];
  switch (operation) {
    case 'start':
    case 'resume':
      return [
        'start',
        agent,
        `--key=${key}`,
        `--input-json=${JSON.stringify(input)}`,
        `--max-turns=${maxTurns}`,
        ...(operation === 'resume' || retryFailed ? ['--retry-failed'] : []),
        '--json',
      ];
    case 'decide':
      return [approves ? 'approve' : 'deny', '--yes', '--by=a fuzzing process', ...named];
    default:
      return [operation, ...named];
  }
}

async function run(
  args: readonly string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ['--import', LOADER, MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: ENDS_WITHIN_MS,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
