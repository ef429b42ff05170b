import { defined } from '../contract/defined.ts';
import { AgentOnceError } from '../contract/errors.ts';
import type { Effect } from '../contract/step.ts';
import type { LedgerKeeper } from './keeper.ts';
import { listMigrations, migrationsOf, type Migrated } from './list-migrations.ts';
import { sealing, type Sealer } from './payload.ts';
import type { Ledger } from './port.ts';
import type { GrantTo } from './postgres/rights.ts';
import type { LedgerReader } from './reader.ts';

export interface OpenLedgerOptions {
  /** The tools that will use it: what a backend cannot promise one of them is refused. */
  tools?: readonly { name: string; effect: Effect }[];
  /** The app's folder: its migrations make tables beside the ledger's. */
  app?: string | undefined;
  /** Connections of a backend that has a pool of them; default: the backend's. */
  poolSize?: number;
}

/** A kind of database that can be the ledger. */
export interface LedgerBackend {
  /** How the address of one looks. */
  example: string;
  open(url: string, options: OpenLedgerOptions): Promise<Ledger>;
  openReader(url: string): Promise<LedgerReader>;
  openKeeper(url: string): Promise<LedgerKeeper>;
  /**
   * Absent: it has no schema.
   *
   * @param app the app's folder, for migrations of its own
   */
  migrate?(url: string, grantTo: readonly GrantTo[], app?: string): Promise<Migrated>;
}

/** Backends by the scheme of their URL, in small letters. */
export type LedgerBackends = Readonly<Record<string, LedgerBackend>>;

const postgres: LedgerBackend = {
  example: 'a PostgreSQL URL (postgres://user:password@host:port/database)',
  async open(url, { app, poolSize }) {
    const { createPostgresLedger } = await import('./postgres/postgres-ledger.ts');
    return createPostgresLedger(url, defined({ app, poolSize }));
  },
  async openReader(url) {
    return (await import('./postgres/read-ledger.ts')).openPostgresLedgerReader(url);
  },
  async openKeeper(url) {
    return (await import('./postgres/identity.ts')).openPostgresLedgerKeeper(url);
  },
  async migrate(url, grantTo, app) {
    return (await import('./postgres/migrate.ts')).migrate(url, grantTo, app);
  },
};

const backends = new Map(Object.entries({ postgres, postgresql: postgres }));

/** Makes known to this process what extras bring along: kinds of ledger, and what encrypts them. */
export function registerLedgers(
  extras: readonly { ledgers?: LedgerBackends; sealer?: () => Sealer }[],
): void {
  for (const { ledgers = {}, sealer } of extras) {
    for (const [scheme, backend] of Object.entries(ledgers)) backends.set(scheme, backend);
    if (sealer) sealing.sealer = sealer;
  }
}

/**
 * Opens the ledger at `LEDGER_URL`, of the backend that its scheme names. Close it when done.
 *
 * @throws {AgentOnceError} `config.invalid`, `ledger.unreachable`; `ledger.invalid`, also where the
 *   backend cannot keep a tool's promise
 */
export async function openLedger(url: string, options: OpenLedgerOptions = {}): Promise<Ledger> {
  const backend = backendOf(url);
  await assertTakesMigrations(backend, options.app);
  return backend.open(url, options);
}

/** The same for somebody who only reads: nothing is changed in it. */
export async function openLedgerReader(url: string): Promise<LedgerReader> {
  return backendOf(url).openReader(url);
}

/** The same for the person who looks after its database. */
export async function openLedgerKeeper(url: string): Promise<LedgerKeeper> {
  return backendOf(url).openKeeper(url);
}

/**
 * Brings the ledger's schema up to date, and the app's own, and gives roles the rights that they need.
 * Repeatable.
 *
 * @param app the app's folder, for migrations of its own
 * @returns `undefined`: the backend has no schema
 * @throws {AgentOnceError} `config.invalid`, `ledger.unreachable`, `ledger.invalid`
 */
export async function migrateLedger(
  url: string,
  grantTo: readonly GrantTo[],
  app?: string,
): Promise<Migrated | undefined> {
  const backend = backendOf(url);
  await assertTakesMigrations(backend, app);
  return backend.migrate?.(url, grantTo, app);
}

async function assertTakesMigrations({ migrate }: LedgerBackend, app?: string): Promise<void> {
  if (migrate || app === undefined) return;
  const folder = migrationsOf(app);
  if ((await listMigrations(folder)).length === 0) return;
  throw new AgentOnceError(
    'ledger.invalid',
    `There are migrations in ${folder}, and the ledger at LEDGER_URL takes none: it has no tables. Nothing was changed. Use a ledger in PostgreSQL, or delete them.`,
  );
}

function backendOf(url: string): LedgerBackend {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
  const backend = backends.get(scheme ?? '');
  if (backend) return backend;
  const examples = [...new Set(backends.values())].map(({ example }) => example);
  // The URL is not repeated: it may hold a password.
  const is = examples.length === 1 ? 'not' : 'neither';
  throw new AgentOnceError('config.invalid', `LEDGER_URL is ${is} ${examples.join(' nor ')}.`);
}
