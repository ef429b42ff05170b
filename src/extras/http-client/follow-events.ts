import { createParser } from 'eventsource-parser';
import type { JsonValue } from '../../contract/json-value.ts';
import { HttpServiceError } from './http-error.ts';
import { send, sleep } from './send.ts';
import type { HttpClientOptions, HttpRun, RunEvent } from './types.ts';

/** A connection that says nothing for longer is dead: the service speaks every 15 s. */
const SILENCE_MS = 45_000;
const RECONNECT_MS = 500;

/** Reads a run's server-sent events until `end`, over as many connections as that takes. */
export async function* followEvents(
  options: HttpClientOptions,
  path: string,
  { lastEventId, signal }: { lastEventId?: string; signal?: AbortSignal },
): AsyncGenerator<RunEvent, void, undefined> {
  let last = lastEventId;
  for (;;) {
    const call = {
      method: 'GET' as const,
      path,
      headers: {
        accept: 'text/event-stream',
        ...(last === undefined ? {} : { 'last-event-id': last }),
      },
      // The answer itself takes as long as the run does.
      waitSeconds: 7 * 24 * 60 * 60,
      signal,
    };
    const response = await send(options, call, async (answer) => answer);
    if (response.status === 204 || !response.body) return;
    try {
      for await (const { id, event } of read(response.body)) {
        last = id ?? last;
        yield event;
        if (event.type === 'end') return;
      }
    } catch (error) {
      if (error instanceof HttpServiceError) throw error;
    }
    signal?.throwIfAborted();
    await sleep(RECONNECT_MS, signal);
  }
}

async function* read(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<{ id: string | undefined; event: RunEvent }> {
  const found: { id: string | undefined; event: RunEvent }[] = [];
  const parser = createParser({
    onEvent: ({ id, event, data }) => {
      const known = toEvent(event, id, data);
      if (known) found.push({ id, event: known });
    },
  });
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const chunk = await withinSilence(reader.read());
      if (chunk.done) return;
      parser.feed(decoder.decode(chunk.value, { stream: true }));
      yield* found.splice(0);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function withinSilence<T>(next: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('The connection fell silent.')), SILENCE_MS);
  });
  try {
    return await Promise.race([next, silence]);
  } finally {
    clearTimeout(timer);
  }
}

function toEvent(type: string | undefined, id = '', data: string): RunEvent | undefined {
  if (type === 'step') {
    return { type, id, step: JSON.parse(data) as Record<string, JsonValue> };
  }
  if (type === 'run' || type === 'end') return { type, run: JSON.parse(data) as HttpRun };
  return undefined;
}
