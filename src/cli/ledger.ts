import type { Command } from 'commander';
import { registerLedgerIdentity } from './ledger-identity.ts';

/** `agent-once ledger …`: for the person who looks after the ledger's database. */
export function registerLedger(program: Command): void {
  const ledger = program
    .command('ledger')
    .summary('the database of the ledger: after a restore, after a move')
    .description('What a person has to do or say about the ledger at LEDGER_URL.');
  registerLedgerIdentity(ledger);
}
