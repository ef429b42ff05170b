import { randomUUID } from 'node:crypto';
import { defined } from '../contract/defined.ts';
import { AgentOnceError } from '../contract/errors.ts';
import { fingerprintOf } from '../contract/fingerprint.ts';
import { assertJson, utf8Bytes } from '../contract/json.ts';
import type { JsonValue } from '../contract/json-value.ts';
import { LIMITS } from '../contract/limits.ts';
import { isKeepable } from '../contract/keepable.ts';
import { assertKey, assertName, DEFAULT_TENANT } from '../contract/key.ts';
import type { ResumeLimits, RunOptions } from '../contract/run.ts';
import { isEffort, LAST_PRIORITY, type AgentSettings } from '../contract/settings.ts';
import { identify, type ClientContext, type RunIdentity } from './context.ts';
import type { AgentDirectory, StartRequest } from './types.ts';

/** A request that may be sent. */
export interface CheckedRequest {
  run: RunIdentity;
  keyGenerated: boolean;
  fingerprint: string;
  input?: JsonValue;
  options?: RunOptions;
  limits?: ResumeLimits;
  settings?: AgentSettings;
  definition?: string;
  dedupeWindowMs?: number;
}

/**
 * Checks a request before anything of it is sent.
 *
 * @throws {AgentOnceError} `name.invalid`, `key.invalid`, `agent.unknown`, `options.invalid`,
 *   `input.invalid`, `input.too_large`
 */
export function checkRequest(
  context: Pick<ClientContext, 'registry' | 'hashKeys'>,
  request: StartRequest,
): CheckedRequest {
  const { agent, input, dedupeWindowMs } = request;
  // From JavaScript: a header that was not there must not become a new key in silence.
  if (request.key === null) assertKey(request.key);
  // Names first: the fingerprint is made of them.
  const tenant = request.tenant ?? DEFAULT_TENANT;
  assertName('tenant', tenant);
  assertName('agent', agent);
  if (context.registry) assertKnown(context.registry, agent);
  if (input !== undefined) assertInput(input);
  const options = request.options === undefined ? undefined : checkOptions(request.options);
  const limits = request.limits === undefined ? undefined : checkLimits(request.limits);
  const asked = { ...options, ...(limits?.model === undefined ? {} : { model: limits.model }) };
  const settings = context.registry?.settingsOf(agent, asked);
  if (onlyResumes(limits) && !request.retryFailed) {
    throw refuse(
      'A new run has the model, reasoningEffort and maxOutputTokens of its options and its agent. The limits of these names are for a run that is resumed (retryFailed, --retry-failed). Nothing was started.',
    );
  }
  const definition = context.registry?.definitionOf?.(agent);
  const given = defined({ input, options });
  const fingerprint = fingerprintOf({ tenant, agent, ...given });
  const key = request.key ?? keyFor(fingerprint, dedupeWindowMs);
  if (request.key !== undefined && dedupeWindowMs !== undefined) {
    throw refuse(
      'A key and a dedup window exclude each other: the window is for requests without a key.',
    );
  }
  const keyGenerated = request.key === undefined;
  const run = identify(context, { tenant, agent, key });
  const more = defined({ limits, definition, dedupeWindowMs, settings });
  return { run, keyGenerated, fingerprint, ...given, ...more };
}

/** The key of a request that has none: its own fingerprint in a dedup window, else a new UUID. */
function keyFor(fingerprint: string, dedupeWindowMs: number | undefined): string {
  if (dedupeWindowMs === undefined) return randomUUID();
  if (!Number.isSafeInteger(dedupeWindowMs) || dedupeWindowMs < 1) {
    throw refuse('The dedup window must be at least 1 ms.');
  }
  return `fingerprint-${fingerprint}`;
}

function checkLimits(limits: ResumeLimits): ResumeLimits {
  const { maxTurns, priority, model, reasoningEffort, maxOutputTokens } = limits;
  assertCount('The turns at most', maxTurns);
  assertCount('The priority', priority, LAST_PRIORITY);
  assertCount("An answer's tokens at most (maxOutputTokens)", maxOutputTokens);
  if (model !== undefined) assertModel('limit', model);
  if (reasoningEffort !== undefined && !isEffort(reasoningEffort)) {
    throw refuse("The limit \"reasoningEffort\" must be a word such as 'none', 'low' or 'high'.");
  }
  return defined({ maxTurns, priority, model, reasoningEffort, maxOutputTokens });
}

function assertCount(what: string, count: number | undefined, most = Infinity): void {
  if (count === undefined || (Number.isSafeInteger(count) && count >= 1 && count <= most)) return;
  throw refuse(`${what} must be a whole number from 1${most < Infinity ? ` to ${most}` : ''}.`);
}

/** Whether a request with these limits is one for a run that is there. */
export function onlyResumes(limits: ResumeLimits = {}): boolean {
  const { model, reasoningEffort, maxOutputTokens } = limits;
  return [model, reasoningEffort, maxOutputTokens].some((limit) => limit !== undefined);
}

function assertKnown(registry: AgentDirectory, agent: string): void {
  const names = registry.names();
  if (names.includes(agent)) return;
  const known = names.length === 0 ? 'none is registered' : `known: ${names.sort().join(', ')}`;
  throw new AgentOnceError(
    'agent.unknown',
    `There is no agent "${agent}"; ${known}. Agents are registered in src/app/agents/index.ts.`,
  );
}

function assertInput(input: unknown): asserts input is JsonValue {
  assertJson(input);
  const bytes = utf8Bytes(JSON.stringify(input));
  if (bytes <= LIMITS.inputBytes) return;
  throw new AgentOnceError(
    'input.too_large',
    `The input has ${bytes} bytes as JSON; ${LIMITS.inputBytes} (1 MiB) is the limit. Nothing was started. Put what is large where a tool can read it, and send a reference.`,
  );
}

/** Only known fields: one that is misspelt would silently change nothing. */
function checkOptions(options: object): RunOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw refuse('The options of a run are an object.');
  }
  const { model, shadow, ...unknown } = options as Record<string, unknown>;
  const [name] = Object.keys(unknown);
  if (name !== undefined) throw refuse(`There is no option "${name}"; known: model, shadow.`);
  // `false` would be another fingerprint for the same request.
  if (shadow !== undefined && shadow !== true) {
    throw refuse('The option "shadow" is true, or left out.');
  }
  const mode: RunOptions = shadow ? { shadow } : {};
  if (model === undefined) return mode;
  assertModel('option', model);
  return { model, ...mode };
}

function assertModel(what: 'option' | 'limit', model: unknown): asserts model is string {
  if (typeof model !== 'string' || model.trim() === '' || model.length > 200) {
    throw refuse(`The ${what} "model" must be the name of a model.`);
  }
  if (!isKeepable(model)) {
    throw refuse(
      `The ${what} "model" is text without null characters and lone surrogates. Nothing was started.`,
    );
  }
}

function refuse(message: string): AgentOnceError {
  return new AgentOnceError('options.invalid', message);
}
