import { AgentOnceError, type ErrorCode } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import type { RunStatus } from '../../contract/run.ts';
import type { AgentOnceClient } from '../../client/agent-once-client.ts';
import { BatchPace } from './batch-pace.ts';
import type { StartedRun, StartRequest } from '../../client/types.ts';

/** One request of a batch. */
export interface BatchLine {
  /** Its number, from 1: part of its key. */
  line: number;
  input: JsonValue;
}

/** Many requests to one agent, each under a key of its own: `{key}:{line}`. */
export interface BatchRequest extends Omit<StartRequest, 'key' | 'input' | 'dedupeWindowMs'> {
  key: string;
  lines: Iterable<BatchLine>;
}

export interface BatchOptions {
  /** How many runs are under way at once; default 10. */
  concurrency?: number;
  /** Starts no more lines and waits no longer. What is under way goes on in Temporal. */
  signal?: AbortSignal;
  /**
   * A limit of Temporal's has made the batch slower: why, and how many runs are under way at once
   * from now on. They become more again when lines end.
   */
  onSlowed?: (why: AgentOnceError, concurrency: number) => void;
}

export interface BatchOutcome {
  line: number;
  key: string;
  /**
   * The run's status; or `conflict`: the line's key names another request; `refused`: it could not
   * be started; `unknown`: Temporal could not be asked.
   */
  state: RunStatus | 'conflict' | 'refused' | 'unknown';
  /** `null` where no run is known. */
  run: StartedRun | null;
  /** Why there is no completed run. */
  error: { code: ErrorCode; message: string } | null;
}

export function batchKey(key: string, line: number): string {
  return `${key}:${line}`;
}

/**
 * Starts a run for each line, or finds the one that its key names already, and waits for its end.
 * Yields each line as it ends, in no particular order. Repeating a batch is safe: what has ended is
 * replayed, what goes on is attached to.
 *
 * Where Temporal limits the requests of the namespace it becomes slower, and goes on.
 *
 * When it is stopped by its signal, lines under way are yielded as they stand, and lines that were
 * not begun are not yielded.
 *
 * @throws {AgentOnceError} `temporal.…`, after the lines under way were yielded: when Temporal
 *   cannot be asked for one line, it cannot for the next
 */
export async function* runBatch(
  client: AgentOnceClient,
  { lines, key, ...request }: BatchRequest,
  options: BatchOptions = {},
): AsyncGenerator<BatchOutcome, void> {
  const { concurrency = 10, signal, onSlowed } = options;
  const pace = new BatchPace(concurrency, onSlowed);
  const stop = new AbortController();
  const ending = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const underWay = new Map<number, Promise<BatchOutcome>>();
  let problem: AgentOnceError | undefined;

  async function run({ line, input }: BatchLine): Promise<BatchOutcome> {
    const name = { line, key: batchKey(key, line) };
    const sent: StartRequest = { ...request, key: name.key, input };
    let started: StartedRun | undefined;
    for (;;) {
      try {
        started ??= await client.start(sent);
        const ended = await untilEnd(client, started, ending);
        pace.ended();
        return outcomeOf(name, ended);
      } catch (error) {
        // Not as a rejection: nobody may be listening when several lines fail at once.
        const known = asError(error);
        const limited = known.code === 'temporal.limited';
        if (limited && !ending.aborted) {
          pace.slowDown(known);
          await pace.wait(ending);
          if (!ending.aborted) continue;
        }
        const state = stateAfter(known);
        // Whoever has stopped the batch knows why it ended.
        if (state === 'unknown' && !limited) {
          problem ??= known;
          stop.abort();
        }
        return { ...name, state, run: started ?? null, error: describe(known) };
      }
    }
  }

  async function next(): Promise<BatchOutcome> {
    const outcome = await Promise.race(underWay.values());
    underWay.delete(outcome.line);
    return outcome;
  }

  try {
    for (const line of ending.aborted ? [] : lines) {
      await pace.wait(ending);
      underWay.set(line.line, run(line));
      while (underWay.size >= pace.concurrency) yield await next();
      // Before the next one is taken: a line that was taken is begun.
      if (ending.aborted) break;
    }
    while (underWay.size > 0) yield await next();
    if (problem) throw problem;
  } finally {
    // Whoever stops reading early leaves no waiting behind.
    stop.abort();
    await Promise.all(underWay.values());
  }
}

/** The run at its end, or as it stands when it waits for a person or the waiting is over. */
async function untilEnd(
  client: AgentOnceClient,
  started: StartedRun,
  signal: AbortSignal,
): Promise<StartedRun> {
  let run = started;
  while (run.closedAt === null && run.status !== 'waiting' && !signal.aborted) {
    try {
      run = {
        ...run,
        ...(await client.result(run, { runId: run.runId, signal, untilWaiting: true })),
      };
    } catch (error) {
      if (signal.aborted) return run;
      if (!(error instanceof AgentOnceError) || error.code !== 'run.waiting') throw error;
      run = { ...run, ...(await client.describe(run)) };
    }
  }
  return run;
}

function outcomeOf(name: { line: number; key: string }, run: StartedRun): BatchOutcome {
  return { ...name, state: run.status, run, error: run.error };
}

function asError(error: unknown): AgentOnceError {
  if (error instanceof AgentOnceError) return error;
  return new AgentOnceError('internal', error instanceof Error ? error.message : String(error), {
    cause: error,
  });
}

function stateAfter({ code }: AgentOnceError): 'conflict' | 'refused' | 'unknown' {
  if (code === 'key.conflict') return 'conflict';
  return code.startsWith('temporal.') || code === 'internal' ? 'unknown' : 'refused';
}

function describe({ code, message }: AgentOnceError): { code: ErrorCode; message: string } {
  return { code, message };
}
