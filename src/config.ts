import { DIALECT_NAMES, type DialectName } from './contract/dialects.ts';
import { AgentOnceError } from './contract/errors.ts';
import { secretsOfUrl } from './contract/redact.ts';
import { isEffort } from './contract/settings.ts';
import { splitUrl } from './contract/url-parts.ts';

/**
 * The only reader of the environment. Each variable is in `docs/configuration.md`; Temporal's own
 * (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS…`,
 * `TEMPORAL_PROFILE`, `TEMPORAL_CONFIG_FILE`) are read by `@temporalio/envconfig`.
 */
export interface Config {
  /** PostgreSQL or Redis, by its scheme. */
  ledgerUrl: string;
  /** The ledger that the runs leave, for `agent-once ledger move`. */
  ledgerOldUrl: string | undefined;
  /** Where the ledger's schema is migrated: as another user, or past a pooler. */
  ledgerMigrateUrl: string | undefined;
  /** The operator's word that a Redis ledger is one node that forgets nothing. */
  redisDurable: boolean;
  /** `undefined`: no endpoint is set, the dev stack uses the scripted model. */
  openaiBaseUrl: string | undefined;
  openaiApiKey: string | undefined;
  /** Serves agents that name none. */
  openaiModel: string;
  /** `auto`: Responses at OpenAI, chat completions elsewhere. */
  openaiApi: 'auto' | 'chat' | 'responses';
  /** For agents that set none. */
  openaiReasoningEffort: string | undefined;
  /** `undefined`: told by the endpoint's host. */
  openaiDialect: DialectName | undefined;
  /** `undefined`: the dialect's own. */
  openaiOutputLimitField: 'max_tokens' | 'max_completion_tokens' | undefined;
  /** Sent with each request to the model's endpoint. They may be secrets. */
  openaiHeaders: Readonly<Record<string, string>>;
  /** Path of a JSON file with prices per model. */
  pricesFile: string | undefined;
  shopUrl: string;
  /** Where Temporal UI is, for links. */
  temporalUiUrl: string;
  searchAttributes: boolean;
  hashKeys: boolean;
  splitTaskQueues: boolean;
  /** How often the ledger is cleaned, in milliseconds; `undefined`: never. */
  cleanupEveryMs: number | undefined;
  /** Workers: whether only shadow runs may run here. */
  shadowOnly: boolean;
  logLevel: 'debug' | 'info' | 'warn' | 'error';
  healthPort: number | undefined;
  /** For how long a worker goes on that the ledger refuses, in milliseconds; `undefined`: for ever. */
  refusedLimitMs: number | undefined;
  /** How long a process that stops says so before it closes the port where it is asked. */
  drainMs: number;
  /** HTTP: whether idempotency keys must stand in double quotes. */
  httpStrictKeys: boolean;
  /** HTTP: what a duplicate of a running run gets, the run or 409. */
  httpDuplicates: 'attach' | 'conflict';
  /** HTTP: requests a minute of one tenant. */
  httpRequestsPerMinute: number;
  temporalCli: string | undefined;
  /** Path of Chromium or Chrome, for pictures of Temporal UI and their tests. */
  chromiumPath: string | undefined;
  /** Where a worker dies, for tests: `after-effect:issue_refund`. */
  fault: string | undefined;
  /** Tests only: gives tools a fresh token each attempt, so that a check can be seen to fail. */
  testNoTokens: boolean;
  /** Tests only: lets an attempt through that has lost its claim. */
  testNoFence: boolean;
  /** Tests only: grants every claim, whoever has the step. */
  testNoClaim: boolean;
}

/** Defaults of `agent-once dev`, so that the other commands find it without any setting. */
export const DEV_PORTS = {
  temporal: 7233,
  ui: 8233,
  postgres: 5433,
  model: 8080,
  shop: 8090,
  http: 8088,
} as const;

/**
 * Reads the settings.
 *
 * @throws {AgentOnceError} `config.invalid`; names the variable, never its value.
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  return {
    ledgerUrl:
      text(env, 'LEDGER_URL') ??
      `postgres://postgres:postgres@127.0.0.1:${DEV_PORTS.postgres}/agent_once`,
    ledgerOldUrl: text(env, 'LEDGER_OLD_URL'),
    ledgerMigrateUrl: text(env, 'LEDGER_MIGRATE_URL'),
    redisDurable: flag(env, 'AGENT_ONCE_REDIS_DURABLE', false),
    openaiBaseUrl: text(env, 'OPENAI_BASE_URL'),
    openaiApiKey: text(env, 'OPENAI_API_KEY'),
    openaiModel: text(env, 'OPENAI_MODEL') ?? 'gpt-6-luna',
    openaiApi: oneOf(env, 'OPENAI_API', ['auto', 'chat', 'responses'], 'auto'),
    openaiReasoningEffort: effort(env, 'OPENAI_REASONING_EFFORT'),
    openaiDialect: optionalOf(env, 'OPENAI_DIALECT', DIALECT_NAMES),
    openaiOutputLimitField: optionalOf(env, 'OPENAI_OUTPUT_LIMIT_FIELD', [
      'max_tokens',
      'max_completion_tokens',
    ]),
    openaiHeaders: headers(env, 'OPENAI_CUSTOM_HEADERS'),
    pricesFile: text(env, 'MODEL_PRICES_FILE'),
    shopUrl: httpUrl(env, 'SHOP_URL') ?? `http://127.0.0.1:${DEV_PORTS.shop}`,
    temporalUiUrl: httpUrl(env, 'TEMPORAL_UI_URL') ?? `http://127.0.0.1:${DEV_PORTS.ui}`,
    searchAttributes: flag(env, 'AGENT_ONCE_SEARCH_ATTRIBUTES', true),
    hashKeys: flag(env, 'AGENT_ONCE_HASH_KEYS', false),
    splitTaskQueues: flag(env, 'AGENT_ONCE_SPLIT_TASK_QUEUES', false),
    cleanupEveryMs: interval(env, 'AGENT_ONCE_CLEANUP', '1h'),
    shadowOnly: flag(env, 'AGENT_ONCE_SHADOW_ONLY', false),
    logLevel: oneOf(env, 'AGENT_ONCE_LOG_LEVEL', ['debug', 'info', 'warn', 'error'], 'info'),
    healthPort: port(env, 'AGENT_ONCE_HEALTH_PORT'),
    refusedLimitMs: interval(env, 'AGENT_ONCE_REFUSED_LIMIT', '60s'),
    drainMs: interval(env, 'AGENT_ONCE_DRAIN', '5s') ?? 0,
    httpStrictKeys: flag(env, 'AGENT_ONCE_HTTP_STRICT_KEYS', false),
    httpDuplicates: oneOf(env, 'AGENT_ONCE_HTTP_DUPLICATES', ['attach', 'conflict'], 'attach'),
    httpRequestsPerMinute: count(env, 'AGENT_ONCE_HTTP_REQUESTS_PER_MINUTE', 600),
    temporalCli: text(env, 'TEMPORAL_CLI'),
    chromiumPath: text(env, 'CHROMIUM_PATH'),
    fault: text(env, 'AGENT_ONCE_FAULT'),
    testNoTokens: flag(env, 'AGENT_ONCE_TEST_NO_TOKENS', false),
    testNoFence: flag(env, 'AGENT_ONCE_TEST_NO_FENCE', false),
    testNoClaim: flag(env, 'AGENT_ONCE_TEST_NO_CLAIM', false),
  };
}

const URLS = /(?:_URL|_PROXY)$/i;
const KEYS = /(?:KEY|TOKEN|SECRET|PASSWORD|_HEADERS|_DATA|_AUTH)$/i;
/** What every server of a development stack has. */
const NO_SECRETS = ['postgres', 'scripted-model'];

/** What of an environment must stand in no message and no log; for `redact`. */
export function secretsIn(env: NodeJS.ProcessEnv): string[] {
  const all = Object.entries(env).flatMap(([name, value = '']) => {
    if (URLS.test(name)) return secretsOfUrl(value);
    return KEYS.test(name) ? [value, ...value.split(/\s+/)] : [];
  });
  return all.filter((secret) => secret.length >= 4 && !NO_SECRETS.includes(secret));
}

/** Whether no endpoint is set, so that the dev stack's scripted model answers. */
export function usesScriptedModel(config: Pick<Config, 'openaiApiKey' | 'openaiBaseUrl'>): boolean {
  return config.openaiApiKey === undefined && config.openaiBaseUrl === undefined;
}

function text(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}

/** A password in it would be shown with links, and `fetch` would repeat it in an error. */
function httpUrl(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = text(env, name);
  if (value === undefined) return undefined;
  const parts = splitUrl(value);
  if (!parts || !/^https?$/.test(parts.scheme) || !URL.canParse(value)) {
    throw invalid(name, 'is no http or https URL');
  }
  if (parts.user !== undefined) throw invalid(name, 'has a user name or password in it');
  return value;
}

function flag(env: NodeJS.ProcessEnv, name: string, otherwise: boolean): boolean {
  const value = text(env, name)?.toLowerCase();
  if (value === undefined) return otherwise;
  if (['1', 'true', 'on', 'yes'].includes(value)) return true;
  if (['0', 'false', 'off', 'no'].includes(value)) return false;
  throw invalid(name, 'is neither on nor off');
}

function effort(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = text(env, name);
  if (value !== undefined && !isEffort(value)) {
    throw invalid(name, 'is no word in small letters, such as low');
  }
  return value;
}

/** What one's own requests carry, and what tells one body from another. */
const OWN_HEADERS = /^(?:idempotency-key|x-agent-run-id|content-(?:type|length)|host|connection)$/i;

/** A header a line, as `Name: value`. */
function headers(env: NodeJS.ProcessEnv, name: string): Record<string, string> {
  const lines = (text(env, name) ?? '').split('\n').filter((line) => line.trim() !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const [, header, value] =
        /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*:\s*([\x20-\x7e]*?)\s*$/.exec(line) ?? [];
      if (header === undefined || value === undefined) {
        throw invalid(name, 'has a line that is no "Name: value" in printable ASCII');
      }
      if (OWN_HEADERS.test(header)) throw invalid(name, `cannot set ${header}`);
      return [header, value];
    }),
  );
}

function oneOf<T extends string>(
  env: NodeJS.ProcessEnv,
  name: string,
  values: readonly T[],
  otherwise: T,
): T {
  return optionalOf(env, name, values) ?? otherwise;
}

function optionalOf<T extends string>(
  env: NodeJS.ProcessEnv,
  name: string,
  values: readonly T[],
): T | undefined {
  const value = text(env, name);
  if (value === undefined) return undefined;
  const found = values.find((candidate) => candidate === value);
  if (found === undefined) throw invalid(name, `is none of ${values.join(', ')}`);
  return found;
}

function port(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const value = text(env, name);
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) throw invalid(name, 'is no port');
  return number;
}

function count(env: NodeJS.ProcessEnv, name: string, otherwise: number): number {
  const value = text(env, name);
  if (value === undefined) return otherwise;
  if (!/^[1-9]\d{0,8}$/.test(value)) throw invalid(name, 'is no whole number from 1');
  return Number(value);
}

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of `30m`, `6h` …; `undefined` for `off`. */
function interval(env: NodeJS.ProcessEnv, name: string, otherwise: string): number | undefined {
  const value = (text(env, name) ?? otherwise).toLowerCase();
  if (['0', 'false', 'off', 'no'].includes(value)) return undefined;
  const [, count, unit] = /^([1-9]\d{0,4})([smhd])$/.exec(value) ?? [];
  if (count === undefined) throw invalid(name, 'is neither off nor an interval such as 30m or 6h');
  return Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS];
}

function invalid(name: string, problem: string): AgentOnceError {
  return new AgentOnceError('config.invalid', `${name} ${problem}. See docs/configuration.md.`);
}
