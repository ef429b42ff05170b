import { existsSync } from 'node:fs';
import { Command } from 'commander';

type Register = (program: Command) => void;

/**
 * The command line. Imports of a command cost every other command's start, `--help` included:
 * what is heavy is imported inside its action.
 */
export async function createProgram(): Promise<Command> {
  const program = new Command('agent-once')
    .description('Runs LLM agents as Temporal workflows: one run per idempotency key.')
    .exitOverride();
  await register(program, './dev.ts', 'registerDev');
  await register(program, './worker.ts', 'registerWorker');
  await register(program, './demo.ts', 'registerDemo');
  return program;
}

async function register(program: Command, file: string, name: string): Promise<void> {
  const url = new URL(file, import.meta.url);
  if (!existsSync(url)) return;
  const commands = (await import(url.href)) as Record<string, Register>;
  commands[name]?.(program);
}
