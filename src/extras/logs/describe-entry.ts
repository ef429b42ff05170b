import { defined } from '../../contract/defined.ts';
import { parseWorkflowId } from '../../contract/key.ts';
import { AGENT_RUN } from '../../contract/names.ts';
import { redact } from '../../contract/redact.ts';
import { describeError } from './describe-error.ts';
import { telemetryId } from './telemetry-id.ts';
import { keyRemover } from './without-keys.ts';

/** What is known of an entry, as Temporal's library, the engine or the service names it. */
export type Fields = Readonly<Record<string | symbol, unknown>>;

/** What an entry of a step has from Temporal's library and from us: fields of tools do not replace it. */
export const OF_STEP = Symbol('of the step');
/** When an entry was made, where that was before it is written. */
export const AT = Symbol('at');

export interface Describing {
  /** `AGENT_ONCE_TELEMETRY_KEY` */
  telemetryKey: string | undefined;
  /** Of the environment: passwords and keys that errors may repeat. */
  secrets: readonly string[];
  /** Whether errors are shown with their stacks and causes. */
  stacks: boolean;
  /** Fields that serializers of whoever logs make something of: they stay as they are. */
  asTheyAre?: readonly string[];
}

/** What Temporal's library adds, and what names nothing that a person looks for. */
const LEFT_OUT =
  /^(taskToken|sdkComponent|namespace|isLocal|workflowType|activity(Run)?Id|spanContexts)$/;
/** What lines have of themselves. */
const OF_LINES = ['level', 'part', 'pid', 'hostname', 'time', 'msg'];
/** What some of them have: a tool may log fields of any name, and these mean what docs/logs.md says. */
const DOCUMENTED = new Set(
  OF_LINES.concat(
    ['run', 'agent', 'tenant', 'keyHash', 'turn', 'step', 'tokenHash', 'attempt', 'activityType'],
    ['taskQueue', 'trace_id', 'span_id', 'target', 'req', 'res', 'responseTime', 'reqId'],
  ),
);
/** What workflows' lines have from Temporal's library and from what traces. */
const OF_WORKFLOWS = new Set(['taskQueue', 'trace_id', 'span_id']);

/**
 * An entry as a line has it. Nothing in it names the client's key: no workflow ID, no token; of both
 * the HMAC, where the operator has set a key for that.
 */
export function describeEntry(
  fields: Fields,
  message: string,
  { telemetryKey, secrets, stacks, asTheyAre = [] }: Describing,
): [Record<string, unknown>, string] {
  const own = ownFields(fields);
  const {
    workflowId: id,
    runId,
    workflowRunId,
    step,
    token,
    error,
    err,
    ...rest
  } = {
    ...fields,
    ...own,
  };
  const type = own?.['workflowType'] ?? fields['workflowType'] ?? AGENT_RUN;
  const run = typeof id === 'string' && type === AGENT_RUN ? parseWorkflowId(id) : undefined;
  const hash = (name: unknown): string | undefined =>
    telemetryKey === undefined || typeof name !== 'string'
      ? undefined
      : telemetryId(telemetryKey, name);
  const withoutKeys = keyRemover(run);
  const clean = (text: string): string => withoutKeys(redact(text, secrets));
  const thrown = error ?? err;
  const described: Record<string, unknown> = defined({
    time: fields[AT],
    run: workflowRunId ?? runId,
    agent: run?.agent,
    tenant: run?.tenant,
    keyHash: run && hash(id),
    turn: typeof step === 'string' ? turnOf(step) : undefined,
    step: typeof step === 'string' ? step : undefined,
    tokenHash: hash(token),
  });
  for (const [name, value] of Object.entries(rest)) {
    if (LEFT_OUT.test(name) || value === undefined) continue;
    const free = isFree(name, fields, own) && !(name in described) ? withoutKeys(name) : `${name}_`;
    described[free] = asTheyAre.includes(name) ? value : plain(value, clean);
  }
  // What code of the app's own called like one of the fields that the line has.
  for (const [name, value] of Object.entries(own ? fields : {})) {
    if (own && name in own && own[name] !== value) described[`${name}_`] = plain(value, clean);
  }
  if (thrown !== undefined) described['err'] = describeError(thrown, clean, stacks);
  return [described, clean(message)];
}

/** What the fields of a tool's line do not replace; absent: the line is not a tool's. */
function ownFields(fields: Fields): Fields | undefined {
  return fields['sdkComponent'] === 'worker' ? undefined : (fields[OF_STEP] as Fields | undefined);
}

/** Whether a field is called as it is: code of the app's own may log fields of any name. */
function isFree(name: string, fields: Fields, own: Fields | undefined): boolean {
  if (own) return name in own || !DOCUMENTED.has(name);
  if (fields['sdkComponent'] !== 'workflow') return !OF_LINES.includes(name);
  return OF_WORKFLOWS.has(name) || !DOCUMENTED.has(name);
}

function turnOf(step: string): number | undefined {
  const [, turn] = /^t(\d+)\./.exec(step) ?? [];
  return turn === undefined ? undefined : Number(turn);
}

/** A tool may log anything, also what throws when it is looked at. */
function plain(value: unknown, clean: (text: string) => string): unknown {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  try {
    const text = JSON.stringify(value, (_name, inner: unknown) => {
      if (typeof inner === 'bigint') return String(inner);
      if (inner instanceof Error) return clean(String(inner));
      return typeof inner === 'string' ? clean(inner) : inner;
    });
    return text === undefined ? clean(String(value)) : JSON.parse(text);
  } catch {
    return '(cannot be shown)';
  }
}
