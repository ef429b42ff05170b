import type { Command } from 'commander';
import type { App } from '../../cli/app.ts';
import type { GrantTo, LedgerUser } from '../../ledger/postgres/rights.ts';

interface MigrateFlags {
  grantTo?: string[];
  grantServiceTo?: string[];
  grantApiKeysTo?: string[];
  grantKeeperTo?: string[];
  json?: true;
}

/** `agent-once ledger migrate`: the tables that workers use. */
export function registerLedgerMigrate(ledger: Command, app: App): void {
  ledger
    .command('migrate')
    .summary("make the ledger's tables, or bring them up to date")
    .description(
      "Makes the ledger's tables in PostgreSQL, and those of src/app/migrations, or brings them up to date. Workers whose user may do so do it when they start; where it may not, or where a pooler is between, run this once before a new version starts.",
    )
    .option('--grant-to <role...>', 'give these roles the rights that a worker needs')
    .option('--grant-service-to <role...>', 'those that the HTTP service and explain need')
    .option('--grant-api-keys-to <role...>', 'those that the command api-keys needs')
    .option('--grant-keeper-to <role...>', 'those that ledger show, accept-restore and move need')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
LEDGER_MIGRATE_URL says where, and as whom; without it, LEDGER_URL does.

Examples:
  $ agent-once ledger migrate
  $ LEDGER_MIGRATE_URL=postgres://owner:password@db:5432/agent_once \\
      agent-once ledger migrate --grant-to agent_once_worker --grant-service-to agent_once_service

Exit codes:
  0  the tables are up to date
  6  the database cannot be reached, or not used`,
    )
    .action((flags: MigrateFlags) => runMigrate(flags, app));
}

/** Whom each option gives rights, and whose. */
function grantsOf(flags: MigrateFlags): GrantTo[] {
  const all = (user: LedgerUser, roles: readonly string[] = []) =>
    roles.map((role) => ({ user, role }));
  return [
    ...all('worker', flags.grantTo),
    ...all('service', flags.grantServiceTo),
    ...all('api-keys', flags.grantApiKeysTo),
    ...all('keeper', flags.grantKeeperTo),
  ];
}

const WHOSE: Readonly<Record<LedgerUser, string>> = {
  worker: 'a worker',
  service: 'the HTTP service',
  'api-keys': 'agent-once api-keys',
  keeper: 'agent-once ledger',
};

async function runMigrate({ json, ...flags }: MigrateFlags, app: App): Promise<void> {
  const grantTo = grantsOf(flags);
  const [{ readConfig }, { migrateLedger }, { printJson, say }] = await Promise.all([
    import('../../config.ts'),
    import('../../ledger/open-ledger.ts'),
    import('../../cli/output.ts'),
  ]);
  const { ledgerMigrateUrl, ledgerUrl } = readConfig();
  const migrated = await migrateLedger(ledgerMigrateUrl ?? ledgerUrl, grantTo, app.folder);
  if (json)
    printJson({
      migrations: migrated?.applied ?? [],
      grantedTo: migrated ? grantTo.map(({ role }) => role) : [],
    });
  if (!migrated) return say('A ledger in Redis has no tables: there is nothing to do.');
  const { where, applied } = migrated;
  say(
    applied.length === 0
      ? `The ledger at ${where} is up to date.`
      : `The ledger at ${where} is up to date; made now: ${applied.join(', ')}.`,
  );
  for (const { user, role } of grantTo) say(`${role} has the rights of ${WHOSE[user]}.`);
}
