import { tracingChannel } from 'node:diagnostics_channel';
import type { Registry } from 'prom-client';
import type { StartedRun, StartRequest } from '../../client/types.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { Tally } from './tally.ts';

/** What the client says of a start, see `AgentOnceClient.start`. */
interface Start {
  request: StartRequest;
  result?: StartedRun;
  error?: unknown;
}

/** Counts the starts of this process's clients by what became of them. */
export function measureStarts(registry: Registry): void {
  const starts = new Tally(
    registry,
    'agent_once_starts_total',
    'Starts of runs that this process was asked for, by what became of them',
    ['agent', 'answer'],
  );
  const count = (message: unknown): void => {
    const { request, result, error } = message as Start;
    if (result) {
      starts.add({ agent: request.agent, answer: answerOf(result) });
    } else if (error instanceof AgentOnceError && error.code === 'key.conflict') {
      starts.add({ agent: request.agent, answer: 'conflict' });
    } else {
      // Not with the agent, which may be any word that a caller has sent.
      starts.add({ agent: '', answer: 'error' });
    }
  };
  tracingChannel('agent-once:start').subscribe({
    start: ignore,
    end: ignore,
    asyncStart: ignore,
    asyncEnd: count,
    error: ignore,
  });
}

function answerOf({ replayed, resumed, closedAt }: StartedRun): string {
  if (replayed) return closedAt === null ? 'attached' : 'replayed';
  return resumed ? 'resumed' : 'new';
}

function ignore(): void {}
