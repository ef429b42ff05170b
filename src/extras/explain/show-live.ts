import type { LiveRun, PendingActivity } from './read-live.ts';
import { printable } from '../../cli/output.ts';
import { drawDuration } from '../../cli/show-run.ts';

/** What Temporal has under way, or will try again. */
export function drawLive({ turn, maxTurns, pending }: LiveRun): string[] {
  const head =
    turn === null ? [] : [`turn ${turn}${maxTurns === null ? '' : ` (limit ${maxTurns})`}`];
  return [...head, ...pending.map(drawPending)];
}

function drawPending(pending: PendingActivity): string {
  const { activity, state, attempt, nextAttemptAt, lastError, worker } = pending;
  const name = activity === 'callModel' ? 'model' : activity.replace(/^tool\./, '');
  const how = { started: 'under way', scheduled: 'waits for a worker' } as Record<string, string>;
  const facts = [
    nextAttemptAt === null
      ? `attempt ${attempt} ${how[state] ?? state}`
      : `attempt ${attempt} waits, tried again in ${drawDuration(Date.parse(nextAttemptAt) - Date.now())}`,
    state === 'started' && worker && `on ${printable(worker)}`,
    state === 'started' && drawHeartbeat(pending),
    lastError && `before it: ${printable(lastError.message)} (${lastError.code})`,
  ].filter((fact) => typeof fact === 'string');
  return `${printable(name)}: ${facts.join(' · ')}`;
}

function drawHeartbeat({ lastHeartbeatAt, heartbeatTimeoutMs }: PendingActivity): string | false {
  if (heartbeatTimeoutMs === null) return false;
  const seen =
    lastHeartbeatAt === null
      ? 'no sign of life yet'
      : `last sign of life ${drawDuration(Date.now() - Date.parse(lastHeartbeatAt))} ago`;
  return `${seen}, given up after ${drawDuration(heartbeatTimeoutMs)} without one`;
}
