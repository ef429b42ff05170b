import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { assertName } from '../../../contract/key.ts';
import type { Database } from '../../../ledger/postgres/database.ts';
import { openMigrated } from '../../../ledger/postgres/open-migrated.ts';
import { lookUpTogether } from './look-ups.ts';
import { rememberAccepted } from './remember-accepted.ts';
import { SCOPES, type ApiKeyRecord, type ApiKeys, type Caller, type Scope } from './port.ts';

/** `ao_`, twelve characters to look it up by, and 32 random bytes. */
const KEY = /^(ao_[A-Za-z0-9]{12})_[A-Za-z0-9_-]{43}$/;
const PREFIX_BYTES = 9;
/** Looked up for what has not the form of a key. */
const NO_PREFIX = 'ao_';
/** Compared with where no key has the prefix: an unknown key takes as long as a wrong one. */
const NOBODY = hash('nobody');

/**
 * Opens the API keys, which lie beside the ledger. Close them when done.
 *
 * @param user the service looks keys up, `agent-once api-keys` makes and revokes them
 * @throws {AgentOnceError} as `createPostgresLedger`
 */
export async function openApiKeys(
  url: string,
  user: 'service' | 'api-keys' = 'service',
): Promise<ApiKeys> {
  return rememberAccepted(new PostgresApiKeys((await openMigrated(url, user)).database));
}

interface ApiKeyRow {
  prefix: string;
  hash: Buffer;
  tenant: string;
  scopes: Scope[];
  name: string;
  created_at: Date;
  revoked_at: Date | null;
}

const COLUMNS = 'prefix, hash, tenant, scopes, name, created_at, revoked_at';

class PostgresApiKeys implements ApiKeys {
  readonly #database: Database;
  readonly #lookUp: (prefix: string) => Promise<ApiKeyRow | undefined>;

  constructor(database: Database) {
    this.#database = database;
    // Each request asks for its key: hundreds at once must not queue for connections.
    this.#lookUp = lookUpTogether(async (prefixes) => {
      const rows = await database.query<ApiKeyRow>(
        `SELECT ${COLUMNS} FROM agent_once.api_keys WHERE prefix = ANY($1::text[])`,
        [[...prefixes]],
      );
      return new Map(rows.map((row) => [row.prefix, row]));
    });
  }

  async create(of: {
    tenant: string;
    scopes: readonly Scope[];
    name: string;
  }): Promise<{ key: string; record: ApiKeyRecord }> {
    assertName('tenant', of.tenant);
    const prefix = `ao_${alphanumeric(randomBytes(PREFIX_BYTES))}`;
    const key = `${prefix}_${randomBytes(32).toString('base64url')}`;
    const [row] = await this.#database.query<ApiKeyRow>(
      `INSERT INTO agent_once.api_keys (prefix, hash, tenant, scopes, name)
       VALUES ($1, $2, $3, $4, $5) RETURNING ${COLUMNS}`,
      [prefix, hash(key), of.tenant, [...of.scopes], of.name],
    );
    if (row === undefined) throw new Error('The key was not stored.');
    return { key, record: toRecord(row) };
  }

  async list(tenant?: string): Promise<ApiKeyRecord[]> {
    const rows = await this.#database.query<ApiKeyRow>(
      `SELECT ${COLUMNS} FROM agent_once.api_keys
       WHERE $1::text IS NULL OR tenant = $1 ORDER BY created_at`,
      [tenant ?? null],
    );
    return rows.map(toRecord);
  }

  async revoke(prefix: string): Promise<boolean> {
    const rows = await this.#database.query(
      `UPDATE agent_once.api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp())
       WHERE prefix = $1 RETURNING prefix`,
      [prefix],
    );
    return rows.length > 0;
  }

  async authenticate(key: string): Promise<Caller | undefined> {
    // Whatever is wrong with a key, it is looked up and compared like a good one.
    const row = await this.#lookUp(KEY.exec(key)?.[1] ?? NO_PREFIX);
    const same = timingSafeEqual(hash(key), row?.hash ?? NOBODY);
    if (!row || !same || row.revoked_at !== null) return undefined;
    return {
      tenant: row.tenant,
      scopes: new Set(row.scopes.filter((scope) => SCOPES.includes(scope))),
      keyPrefix: row.prefix,
      name: row.name,
    };
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

/** SHA-256 is enough for 256 random bits: there is nothing to guess, so nothing to slow down. */
function hash(key: string): Buffer {
  return createHash('sha256').update(key, 'utf8').digest();
}

/** Twelve characters that a double click selects. */
function alphanumeric(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll(/[+/]/g, 'x');
}

function toRecord(row: ApiKeyRow): ApiKeyRecord {
  return {
    prefix: row.prefix,
    tenant: row.tenant,
    scopes: row.scopes,
    name: row.name,
    createdAt: row.created_at.toISOString(),
    revokedAt: row.revoked_at?.toISOString() ?? null,
  };
}
