import { AgentOnceError } from './errors.ts';
import { sha256Base64url } from './hash.ts';
import { DEFAULT_TENANT, type RunName } from './names.ts';

export { DEFAULT_TENANT, type RunName };

const NAME = /^[a-z][a-z0-9_]{0,31}$/;
const PRINTABLE_ASCII = /^[\x20-\x7e]{1,255}$/;
const ID_SAFE = /^[A-Za-z0-9._:-]{1,128}$/;
const WORKFLOW_ID = /^agent-(?:([a-z][a-z0-9_]{0,31})\.)?([a-z][a-z0-9_]{0,31})-(.+)$/;

/**
 * Checks the name of an agent, a tenant or a tool. No dash and no dot: they separate the parts of
 * a workflow ID, so two different (tenant, agent, key) never meet in one ID.
 *
 * @throws {AgentOnceError} `name.invalid`
 */
export function assertName(
  what: 'agent' | 'tenant' | 'tool',
  name: unknown,
): asserts name is string {
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new AgentOnceError(
      'name.invalid',
      `The ${what} name must match [a-z][a-z0-9_]{0,31}: a lower-case letter, then at most 31 lower-case letters, digits or underscores.`,
    );
  }
}

/**
 * Checks an idempotency key: 1 to 255 printable ASCII characters, case-sensitive.
 *
 * @throws {AgentOnceError} `key.invalid`; the key itself is not repeated, it may be a secret.
 */
export function assertKey(key: unknown): asserts key is string {
  if (typeof key === 'string' && PRINTABLE_ASCII.test(key)) return;
  let problem = 'has a character that is not printable ASCII';
  if (typeof key !== 'string') problem = 'is not a string';
  else if (key.length === 0) problem = 'is empty';
  else if (key.length > 255) problem = `has ${key.length} characters`;
  throw new AgentOnceError(
    'key.invalid',
    `The idempotency key ${problem}. A key is 1 to 255 printable ASCII characters; a UUID v4 is a good one.`,
  );
}

/** How a key stands in the workflow ID: itself where that is short and plain, else `~` and its hash. */
function keyInId(key: string, hashKeys: boolean): string {
  return !hashKeys && ID_SAFE.test(key) ? key : `~${sha256Base64url(key)}`;
}

/**
 * The workflow ID of a run: `agent-{agent}-{key}`, for any tenant but the default one
 * `agent-{tenant}.{agent}-{key}`. At most 200 characters; Temporal's SQL persistence holds 255.
 *
 * @param hashKeys treat every key as a secret. Changing it makes every key new.
 * @throws {AgentOnceError} `name.invalid`, `key.invalid`
 */
export function workflowIdOf(name: RunName, hashKeys = false): string {
  assertName('tenant', name.tenant);
  assertName('agent', name.agent);
  assertKey(name.key);
  return `${workflowIdPrefix(name.tenant, name.agent)}${keyInId(name.key, hashKeys)}`;
}

/** What the workflow IDs of an agent's runs begin with. */
export function workflowIdPrefix(tenant: string, agent: string): string {
  return tenant === DEFAULT_TENANT ? `agent-${agent}-` : `agent-${tenant}.${agent}-`;
}

/** Whether a workflow ID holds the hash of its key instead of the key. */
export function isHashedKey(keyInId: string): boolean {
  return keyInId.startsWith('~');
}

/** Reads the names back from a workflow ID; `key` is as it stands there. */
export function parseWorkflowId(workflowId: string): RunName | undefined {
  const match = WORKFLOW_ID.exec(workflowId);
  if (!match) return undefined;
  const [, tenant = DEFAULT_TENANT, agent = '', key = ''] = match;
  return { tenant, agent, key };
}
