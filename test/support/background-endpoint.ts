import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Json = Record<string, unknown>;

/** A response that was asked for. */
interface Made {
  id: string;
  /** The key that it was made with: another one does not find it. */
  key: string | undefined;
  status: 'queued' | 'in_progress' | 'completed' | 'incomplete' | 'failed' | 'cancelled';
  request: Json;
}

/** What comes in the place of the next answer to a question. */
type PollFault =
  'drop' | 'page' | { status: number; headers?: Record<string, string>; message?: string };

const THOUGHT = { type: 'reasoning', id: 'rs_1', summary: [] };
const ENCRYPTED = 'reasoning.encrypted_content';

/**
 * An endpoint that speaks Responses and makes answers in the background alone, without keeping them.
 * Its answers are the output that a test hands in, after a thought, which is encrypted where it is asked
 * for so, and must come back in a later turn.
 */
export async function startBackgroundEndpoint() {
  const made = new Map<string, Made>();
  const counts = { creates: 0, polls: 0, cancels: 0 };
  const state = {
    /** Whether responses stay queued. */
    held: false,
    /** Whether requests that make a response are not answered. */
    mute: false,
    output: (_request: Json): object[] => [],
    /** Ends of responses, by what came before them. */
    end: 'completed' as Made['status'],
    pollFaults: [] as PollFault[],
    pollAfterMs: '20' as string | undefined,
    asked: [] as string[],
  };

  function shown({ id, status, request }: Made, encrypted: boolean): Json {
    const ended = status !== 'queued' && status !== 'in_progress';
    const thought = { ...THOUGHT, ...(encrypted ? { encrypted_content: `of ${id}` } : {}) };
    return {
      id,
      object: 'response',
      background: true,
      model: request['model'],
      status,
      output: status === 'completed' ? [thought, ...state.output(request)] : [],
      usage: ended ? { input_tokens: 100, output_tokens: 10, total_tokens: 110 } : null,
      ...(status === 'failed' ? { error: { code: 'server_error', message: 'it broke' } } : {}),
    };
  }

  function send(reply: ServerResponse, status: number, body: unknown, headers: object = {}): void {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const type = typeof body === 'string' ? 'text/html' : 'application/json';
    reply.writeHead(status, { 'content-type': type, ...headers }).end(text);
  }
  const refuse = (reply: ServerResponse, status: number, message: string) =>
    send(reply, status, { error: { message } });

  function create(reply: ServerResponse, key: string | undefined, request: Json): void {
    if (request['background'] !== true || request['store'] !== false) {
      return refuse(reply, 400, 'Only background responses are made here, and none are stored.');
    }
    const isLater = JSON.stringify(request['input']).includes('function_call_output');
    if (isLater && !JSON.stringify(request['input']).includes('"encrypted_content":"of ')) {
      return refuse(reply, 400, 'The thoughts of the turn before did not come back.');
    }
    counts.creates += 1;
    const one: Made = { id: `resp_${counts.creates}`, key, status: 'queued', request };
    made.set(one.id, one);
    if (!state.mute) send(reply, 200, shown(one, false), pollAfter());
  }

  const pollAfter = () =>
    state.pollAfterMs === undefined ? {} : { 'openai-poll-after-ms': state.pollAfterMs };

  function poll(reply: ServerResponse, one: Made | undefined, url: URL): void {
    counts.polls += 1;
    state.asked.push(url.pathname + url.search);
    const fault = state.pollFaults.shift();
    if (fault === 'drop') return void reply.destroy();
    if (fault === 'page') return send(reply, 200, '<html>a proxy</html>');
    if (fault) {
      const { status, message = 'x', headers } = fault;
      return send(reply, status, { error: { message } }, headers);
    }
    if (!one) return refuse(reply, 404, 'No response was found with this ID.');
    if (one.status === 'queued') one.status = 'in_progress';
    else if (one.status === 'in_progress' && !state.held) one.status = state.end;
    const encrypted = url.searchParams.getAll('include[]').includes(ENCRYPTED);
    send(reply, 200, shown(one, encrypted), pollAfter());
  }

  async function serve(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://localhost');
    const key = request.headers.authorization;
    const [, id, cancel] = /^\/v1\/responses(?:\/(\w+)(\/cancel)?)?$/.exec(url.pathname) ?? [];
    const found = made.get(id ?? '');
    const one = found?.key === key ? found : undefined;
    if (id === undefined) {
      return create(reply, key, JSON.parse(Buffer.concat(chunks).toString()) as Json);
    }
    if (cancel === undefined) return poll(reply, one, url);
    counts.cancels += 1;
    if (one) one.status = 'cancelled';
    send(reply, one ? 200 : 404, one ? shown(one, false) : {});
  }

  const server = createServer((request, reply) => void serve(request, reply));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/v1`;
  return {
    url,
    counts,
    state,
    made,
    /** For a worker. */
    env: { OPENAI_BASE_URL: url, OPENAI_API: 'responses', OPENAI_BACKGROUND: 'on' },
    /** As it is at first, with nothing made. */
    reset() {
      made.clear();
      Object.assign(counts, { creates: 0, polls: 0, cancels: 0 });
      Object.assign(state, { held: false, mute: false, end: 'completed', pollAfterMs: '20' });
      Object.assign(state, { pollFaults: [], asked: [], output: () => [message('made')] });
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export type BackgroundEndpoint = Awaited<ReturnType<typeof startBackgroundEndpoint>>;

/** An item of an output that is a text. */
export const message = (text: string): object => ({
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
});
