import type { Command } from 'commander';
import type { App } from '../../cli/app.ts';
import { registerLedgerIdentity } from './ledger-identity.ts';
import { registerLedgerMigrate } from './ledger-migrate.ts';

/** `agent-once ledger …`: for the person who looks after the ledger's database. */
export function registerLedger(program: Command, app: App): void {
  const ledger = program
    .command('ledger')
    .summary("the ledger's database: its tables; after a restore, after a move")
    .description('What a person has to do or say about the ledger at LEDGER_URL.');
  registerLedgerMigrate(ledger, app);
  registerLedgerIdentity(ledger);
}
