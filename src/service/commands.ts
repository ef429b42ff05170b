import type { Command } from 'commander';
import { registerApiKeys } from './api-keys-command.ts';
import { registerServe } from './serve-command.ts';

/** The commands of the HTTP service: the one line that joins this folder to the command line. */
export function registerService(program: Command): void {
  registerServe(program);
  registerApiKeys(program);
}
