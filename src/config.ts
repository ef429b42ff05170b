import { isHeaderName, isHeaderValue, isOurHeader } from './contract/headers.ts';
import { DIALECT_NAMES } from './contract/dialects.ts';
import { STRUCTURED_OUTPUTS } from './contract/model-endpoint.ts';
import { secretsOfUrl } from './contract/redact.ts';
import { isEffort } from './contract/settings.ts';
import {
  invalidSetting,
  readCount,
  readFlag,
  readHttpUrl,
  readInterval,
  readOneOf,
  readOrigin,
  readPort,
  readText,
} from './env.ts';

/** Defaults of `agent-once dev`, so that the other commands find it without any setting. */
export const DEV_PORTS = {
  temporal: 7233,
  ui: 8233,
  postgres: 5433,
  model: 8080,
  http: 8088,
} as const;

/**
 * The engine's settings. Each variable is in `docs/configuration.md`; Temporal's own
 * (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS…`,
 * `TEMPORAL_PROFILE`, `TEMPORAL_CONFIG_FILE`) are read by `@temporalio/envconfig`.
 */
export type Config = ReturnType<typeof readConfig>;

/**
 * Reads the settings.
 *
 * @throws {AgentOnceError} `config.invalid`; names the variable, never its value.
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env) {
  return {
    /** Its scheme names the kind of ledger. */
    ledgerUrl:
      readText('LEDGER_URL', env) ??
      `postgres://postgres:postgres@127.0.0.1:${DEV_PORTS.postgres}/agent_once`,
    /** The ledger that the runs leave, for `agent-once ledger move`. */
    ledgerOldUrl: readText('LEDGER_OLD_URL', env),
    /** Where the ledger's schema is migrated: as another user, or past a pooler. */
    ledgerMigrateUrl: readText('LEDGER_MIGRATE_URL', env),
    /** `undefined`: OpenAI's with a key, and without one the dev stack's scripted model. */
    openaiBaseUrl: readText('OPENAI_BASE_URL', env),
    openaiApiKey: readText('OPENAI_API_KEY', env),
    /** Serves agents that name none. */
    openaiModel: readText('OPENAI_MODEL', env) ?? 'gpt-6-luna',
    /** `auto`: Responses at OpenAI, chat completions elsewhere. */
    openaiApi: readOneOf('OPENAI_API', ['auto', 'chat', 'responses'], env) ?? 'auto',
    /** For agents that set none. */
    openaiReasoningEffort: readEffort('OPENAI_REASONING_EFFORT', env),
    /** `undefined`: told by the endpoint's host. */
    openaiDialect: readOneOf('OPENAI_DIALECT', DIALECT_NAMES, env),
    /** `undefined`: the dialect's own. */
    openaiOutputLimitField: readOneOf(
      'OPENAI_OUTPUT_LIMIT_FIELD',
      ['max_tokens', 'max_completion_tokens'],
      env,
    ),
    /** `undefined`: the dialect's own. */
    openaiStructured: readOneOf('OPENAI_STRUCTURED', STRUCTURED_OUTPUTS, env),
    /** Sent with each request to the model's endpoint. They may be secrets. */
    openaiHeaders: readHeaders('OPENAI_CUSTOM_HEADERS', env),
    /** Whether answers are asked for as event streams. */
    openaiStream: readFlag('OPENAI_STREAM', false, env),
    /** Whether answers are made in the background, where the endpoint is spoken to in Responses. */
    openaiBackground: readFlag('OPENAI_BACKGROUND', false, env),
    /** Path of a JSON file with prices per model. */
    pricesFile: readText('MODEL_PRICES_FILE', env),
    /** For links: to Temporal UI, or to the operator's page where that has an address. */
    temporalUiUrl: readHttpUrl('TEMPORAL_UI_URL', env) ?? `http://127.0.0.1:${DEV_PORTS.ui}`,
    publicUrl: readOrigin('AGENT_ONCE_PUBLIC_URL', env),
    searchAttributes: readFlag('AGENT_ONCE_SEARCH_ATTRIBUTES', true, env),
    hashKeys: readFlag('AGENT_ONCE_HASH_KEYS', false, env),
    splitTaskQueues: readFlag('AGENT_ONCE_SPLIT_TASK_QUEUES', false, env),
    /** How often the ledger is cleaned, in milliseconds; `undefined`: never. */
    cleanupEveryMs: readInterval('AGENT_ONCE_CLEANUP', '1h', env),
    /**
     * After so long without a heartbeat Temporal gives a step to another worker, in milliseconds.
     * Agents and tools may say otherwise.
     */
    heartbeatMs: readHeartbeat('AGENT_ONCE_HEARTBEAT', env),
    /** Model steps that a worker has under way at once: they wait, and cost it next to nothing. */
    modelSlots: readCount('AGENT_ONCE_MODEL_SLOTS', 1_000, env),
    /** Tool steps, and activities of the app's own, likewise. */
    toolSlots: readCount('AGENT_ONCE_TOOL_SLOTS', 200, env),
    /** A worker's connections to the ledger, and as many again for transactions of tools. */
    ledgerPool: readCount('AGENT_ONCE_LEDGER_POOL', 10, env),
    /** Workers: whether only shadow runs may run here. */
    shadowOnly: readFlag('AGENT_ONCE_SHADOW_ONLY', false, env),
    /** Workers: the version of a Worker Deployment that they are; `undefined`: they are of none. */
    deployment: readDeployment(env),
    logLevel: readOneOf('AGENT_ONCE_LOG_LEVEL', ['debug', 'info', 'warn', 'error'], env) ?? 'info',
    /** For `telemetryId`; `undefined`: logs and the like say nothing of clients' keys. */
    telemetryKey: readText('AGENT_ONCE_TELEMETRY_KEY', env),
    healthPort: readPort('AGENT_ONCE_HEALTH_PORT', env),
    /** For how long a worker goes on that the ledger refuses, in milliseconds; `undefined`: for ever. */
    refusedLimitMs: readInterval('AGENT_ONCE_REFUSED_LIMIT', '60s', env),
    /** How long a process that stops says so before it closes the port where it is asked. */
    drainMs: readInterval('AGENT_ONCE_DRAIN', '5s', env) ?? 0,
    /** Where a worker dies, for tests: `after-effect:issue_refund`. */
    fault: readText('AGENT_ONCE_FAULT', env),
  };
}

const URLS = /(?:_URL|_PROXY)$/i;
const KEYS = /(?:KEY|TOKEN|SECRET|PASSWORD|_HEADERS|_DATA|_AUTH)$/i;
/** What every server of a development stack has. */
const NO_SECRETS = ['postgres', 'scripted-model'];

/** What of an environment must stand in no message and no log; for `redact`. */
export function secretsIn(env: NodeJS.ProcessEnv = process.env): string[] {
  const all = Object.entries(env).flatMap(([name, value = '']) => {
    if (URLS.test(name)) return secretsOfUrl(value);
    // Several, each with a name before it.
    if (/KEYS$/i.test(name))
      return value.split(/[\s,]+/).map((each) => each.replace(/^[^:]*:/, ''));
    return KEYS.test(name) ? [value, ...value.split(/\s+/)] : [];
  });
  return all.filter((secret) => secret.length >= 4 && !NO_SECRETS.includes(secret));
}

/** Whether no endpoint is set, so that the dev stack's scripted model answers. */
export function usesScriptedModel(config: Pick<Config, 'openaiApiKey' | 'openaiBaseUrl'>): boolean {
  return config.openaiApiKey === undefined && config.openaiBaseUrl === undefined;
}

/** A ledger of another kind than PostgreSQL has no leases of workers: heartbeats alone tell. */
function readHeartbeat(name: string, env: NodeJS.ProcessEnv): number {
  const url = readText('LEDGER_URL', env) ?? 'postgres:';
  const value = readInterval(name, /^postgres(?:ql)?:/i.test(url) ? '60s' : '5s', env);
  if (value === undefined)
    throw invalidSetting(name, 'cannot be off: it is an interval such as 60s');
  return value;
}

/** Under the names that Temporal's controller for Kubernetes sets. */
function readDeployment(env: NodeJS.ProcessEnv) {
  const [NAME, BUILD] = ['TEMPORAL_DEPLOYMENT_NAME', 'TEMPORAL_WORKER_BUILD_ID'];
  const deploymentName = readText(NAME, env);
  const buildId = readText(BUILD, env);
  if (deploymentName === undefined && buildId === undefined) return undefined;
  if (deploymentName === undefined) throw invalidSetting(NAME, `is missing beside ${BUILD}`);
  if (buildId === undefined) throw invalidSetting(BUILD, `is missing beside ${NAME}`);
  // Temporal would let such workers ask for tasks, and never give them one.
  if (/[.:]/.test(deploymentName)) throw invalidSetting(NAME, 'has a dot or a colon in it');
  return { deploymentName, buildId };
}

function readEffort(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const value = readText(name, env);
  if (value !== undefined && !isEffort(value)) {
    throw invalidSetting(name, 'is no word in small letters, such as low');
  }
  return value;
}

/** A header a line, as `Name: value`. */
function readHeaders(name: string, env: NodeJS.ProcessEnv): Record<string, string> {
  const lines = (readText(name, env) ?? '').split('\n').filter((line) => line.trim() !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      const [header, value] = [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
      if (colon < 0 || !isHeaderName(header) || !isHeaderValue(value)) {
        throw invalidSetting(name, 'has a line that is no "Name: value" in printable ASCII');
      }
      if (isOurHeader(header)) throw invalidSetting(name, `cannot set ${header}`);
      return [header, value];
    }),
  );
}
