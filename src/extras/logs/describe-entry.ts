import { defined } from '../../contract/defined.ts';
import { parseWorkflowId } from '../../contract/key.ts';
import { AGENT_RUN } from '../../contract/names.ts';
import { redact } from '../../contract/redact.ts';
import { telemetryId } from '../../contract/telemetry-id.ts';
import { describeError } from './describe-error.ts';
import { keyRemover } from './without-keys.ts';

/** What is known of an entry, as Temporal's library, the engine or the service names it. */
export type Fields = Readonly<Record<string, unknown>>;

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
/** What each line has of itself: a tool may log fields of any name. */
const RESERVED = ['level', 'part', 'pid', 'hostname', 'time', 'msg'];

/**
 * An entry as a line has it. Nothing in it names the client's key: no workflow ID, no token; of both
 * the HMAC, where the operator has set a key for that.
 */
export function describeEntry(
  fields: Fields,
  message: string,
  { telemetryKey, secrets, stacks, asTheyAre = [] }: Describing,
): [Record<string, unknown>, string] {
  const { time, workflowId: id, runId, workflowRunId, step, token, error, err, ...rest } = fields;
  const type = fields['workflowType'] ?? AGENT_RUN;
  const run = typeof id === 'string' && type === AGENT_RUN ? parseWorkflowId(id) : undefined;
  const hash = (name: unknown): string | undefined =>
    telemetryKey === undefined || typeof name !== 'string'
      ? undefined
      : telemetryId(telemetryKey, name);
  const withoutKeys = keyRemover(run);
  const clean = (text: string): string => withoutKeys(redact(text, secrets));
  const thrown = error ?? err;
  const described: Record<string, unknown> = defined({
    time,
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
    const free = name in described || RESERVED.includes(name) ? `${name}_` : withoutKeys(name);
    described[free] = asTheyAre.includes(name) ? value : plain(value, clean);
  }
  if (thrown !== undefined) described['err'] = describeError(thrown, clean, stacks);
  return [described, clean(message)];
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
