import { tracingChannel } from 'node:diagnostics_channel';
import { Counter, type Registry } from 'prom-client';
import type { AgentDefinition } from '../../define/define-agent.ts';
import type { StartedRun, StartRequest } from '../../client/types.ts';
import { AgentOnceError } from '../../contract/errors.ts';

const ANSWERS = ['new', 'attached', 'replayed', 'resumed', 'conflict'] as const;

/** What the client says of a start, see `AgentOnceClient.start`. */
interface Start {
  request: StartRequest;
  result?: StartedRun;
  error?: unknown;
}

/** Counts the starts of this process's clients by what became of them. */
export function measureStarts(registry: Registry, agents: readonly AgentDefinition[]): void {
  const starts = new Counter({
    registers: [registry],
    name: 'agent_once_starts_total',
    help: 'Starts of runs that this process was asked for, by what became of them',
    labelNames: ['agent', 'answer'],
  });
  // Prometheus sees an increase between two values only: the first must be there.
  for (const { name: agent } of agents)
    for (const answer of ANSWERS) starts.inc({ agent, answer }, 0);
  const count = (message: unknown): void => {
    const { request, result, error } = message as Start;
    if (result) {
      starts.inc({ agent: request.agent, answer: answerOf(result) });
    } else if (error instanceof AgentOnceError && error.code === 'key.conflict') {
      starts.inc({ agent: request.agent, answer: 'conflict' });
    } else {
      // Not with the agent, which may be any word that a caller has sent.
      starts.inc({ agent: '', answer: 'error' });
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

function answerOf({ replayed, resumed, closedAt }: StartedRun): (typeof ANSWERS)[number] {
  if (replayed) return closedAt === null ? 'attached' : 'replayed';
  return resumed ? 'resumed' : 'new';
}

function ignore(): void {}
