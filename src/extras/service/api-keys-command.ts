import { InvalidArgumentError, type Command } from 'commander';
import { AgentOnceError } from '../../contract/errors.ts';
import { SCOPES, type ApiKeyRecord, type ApiKeys, type Scope } from './api-keys/port.ts';

/** `agent-once api-keys`: who may call the HTTP service. */
export function registerApiKeys(program: Command): void {
  const keys = program
    .command('api-keys')
    .description('make, list and revoke API keys of the HTTP service');

  keys
    .command('create')
    .description('make a key of a tenant; it is shown this once, and stored as a hash')
    .argument('<tenant>', 'whose runs it starts and reads; "default" for the default one')
    .option('--name <text>', 'what it is for', '')
    .option(
      '--scope <scope...>',
      `what it allows: ${SCOPES.join(', ')} (admin: everything; default: start read)`,
      addScope,
    )
    .option('--json', 'print one JSON document')
    .action(
      (
        tenant: string,
        { name, scope = ['start', 'read'], json }: { name: string; scope?: Scope[]; json?: true },
      ) =>
        withKeys(async (open) => {
          const { key, record } = await open.create({ tenant, scopes: scope, name });
          if (json) return printJson({ ...record, key });
          print(`${key}\n`);
          process.stderr.write(
            `Key ${record.prefix} of tenant ${record.tenant}: ${record.scopes.join(', ')}. It is not shown again.\n`,
          );
        }),
    );

  keys
    .command('list')
    .description('list the keys, without what is secret of them')
    .option('--tenant <name>', 'of this tenant alone')
    .option('--json', 'print one JSON document')
    .action(({ tenant, json }: { tenant?: string; json?: true }) =>
      withKeys(async (open) => {
        const records = await open.list(tenant);
        if (json) return printJson(records);
        for (const record of records) print(drawKey(record));
        if (records.length === 0) process.stderr.write('There is no key yet.\n');
      }),
    );

  keys
    .command('revoke')
    .description('end a key; what it started goes on')
    .argument('<prefix>', 'the beginning of the key, as the list shows it')
    .action((prefix: string) =>
      withKeys(async (open) => {
        if (!(await open.revoke(prefix))) {
          throw new AgentOnceError(
            'usage',
            `There is no key ${prefix}. See agent-once api-keys list.`,
          );
        }
        process.stderr.write(`Key ${prefix} is revoked.\n`);
      }),
    );
}

async function withKeys(use: (keys: ApiKeys) => Promise<void>): Promise<void> {
  const [{ readConfig }, { openApiKeys }] = await Promise.all([
    import('../../config.ts'),
    import('./api-keys/postgres-api-keys.ts'),
  ]);
  const keys = await openApiKeys(readConfig().ledgerUrl, 'api-keys');
  try {
    await use(keys);
  } finally {
    await keys.close();
  }
}

/** Commander calls this once for each value, with what the last call returned. */
function addScope(text: string, before: Scope[] = []): Scope[] {
  const scope = SCOPES.find((known) => known === text);
  if (!scope) throw new InvalidArgumentError(`It is one of ${SCOPES.join(', ')}.`);
  return [...new Set([...before, scope])];
}

function drawKey({ prefix, tenant, scopes, name, createdAt, revokedAt }: ApiKeyRecord): string {
  const state = revokedAt === null ? '' : `  revoked ${revokedAt}`;
  return `${prefix}  ${tenant}  ${scopes.join(',')}  ${createdAt}  ${name}${state}\n`;
}

function print(text: string): void {
  process.stdout.write(text);
}

function printJson(value: unknown): void {
  print(`${JSON.stringify(value)}\n`);
}
