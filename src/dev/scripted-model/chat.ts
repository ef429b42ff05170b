import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { distort, toCompletion } from './completion.ts';
import { directiveScript } from './directive.ts';
import type { Fault, FaultQueue } from './fault.ts';
import { isAnswerFault, timesOf } from './fault.ts';
import { playFault, sendError } from './play-fault.ts';
import type { ParsedReply, Script } from './script.ts';
import { scriptReply } from './script.ts';
import { toEvents } from './stream.ts';
import type { ChatRequest } from './wire.ts';
import { chatRequest, conversationText, findBrokenOrder } from './wire.ts';

const fallback: Script = {
  name: 'fallback',
  matches: () => true,
  reply: (request) => ({
    say: `The scripted model heard ${request.messages.length} message(s) and has no script for them.`,
  }),
};

/** Answers `POST /v1/chat/completions`, and remembers how often each token asked. */
export class Chat {
  readonly #scripts: readonly Script[];
  readonly #faults: FaultQueue;
  /** How often a script's fault was played, by token and turn. */
  readonly #played = new Map<string, number>();
  #requests = 0;
  #byToken = new Map<string, number>();
  /** Every answer waits this long, in milliseconds. */
  delayMs: number;

  constructor(scripts: readonly Script[], faults: FaultQueue, delayMs: number) {
    this.#scripts = [directiveScript, ...scripts, fallback];
    this.#faults = faults;
    this.delayMs = delayMs;
  }

  get counters(): { requests: number; byToken: Record<string, number> } {
    return { requests: this.#requests, byToken: Object.fromEntries(this.#byToken) };
  }

  resetCounters(): void {
    this.#requests = 0;
    this.#byToken.clear();
  }

  async answer(
    body: unknown,
    headers: IncomingHttpHeaders,
    response: ServerResponse,
  ): Promise<void> {
    const token = headers['idempotency-key']?.toString();
    this.#requests += 1;
    if (token !== undefined) this.#byToken.set(token, (this.#byToken.get(token) ?? 0) + 1);

    const request = chatRequest.safeParse(body);
    const complaint = request.success
      ? findBrokenOrder(request.data.messages)
      : z.prettifyError(request.error);
    if (!request.success || complaint !== undefined) {
      sendError(response, 400, 'invalid_request_error', complaint ?? 'Not a chat request.');
      return;
    }

    const script = this.#scripts.find((candidate) => candidate.matches(request.data)) ?? fallback;
    const reply = playScript(script, request.data);
    if (reply.error !== undefined) {
      sendError(response, 400, 'invalid_script', `Script ${script.name}: ${reply.error}`);
      return;
    }

    const fault =
      this.#faults.take(conversationText(request.data)) ??
      this.#dueFault(request.data, token, reply.value);
    await waitUnlessGone(response, this.delayMs + (reply.value.delayMs ?? 0));
    if (!response.destroyed) send(request.data, reply.value, fault, response);
  }

  #dueFault(
    request: ChatRequest,
    token: string | undefined,
    reply: ParsedReply,
  ): Fault | undefined {
    if (!reply.fault) return undefined;
    const conversation = createHash('sha256').update(JSON.stringify(request.messages));
    const key = token ?? conversation.digest('hex');
    const played = this.#played.get(key) ?? 0;
    if (played >= timesOf(reply.fault)) return undefined;
    this.#played.set(key, played + 1);
    return reply.fault;
  }
}

function playScript(
  script: Script,
  request: ChatRequest,
): { value: ParsedReply; error?: undefined } | { error: string } {
  try {
    return { value: scriptReply.parse(script.reply(request)) };
  } catch (error) {
    if (error instanceof z.ZodError) return { error: z.prettifyError(error) };
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function send(
  request: ChatRequest,
  reply: ParsedReply,
  fault: Fault | undefined,
  response: ServerResponse,
): void {
  const said = fault && isAnswerFault(fault) ? distort(request, reply, fault.kind) : reply;
  const completion = toCompletion(request, said);
  const due = request.stream
    ? {
        type: 'text/event-stream; charset=utf-8',
        text: toEvents(completion, request.stream_options?.include_usage ?? false).join(''),
      }
    : { type: 'application/json', text: JSON.stringify(completion) };
  if (fault && !isAnswerFault(fault)) {
    playFault(response, fault, due);
    return;
  }
  response.writeHead(200, { 'content-type': due.type, 'x-request-id': completion.id });
  response.end(due.text);
}

async function waitUnlessGone(response: ServerResponse, ms: number): Promise<void> {
  if (ms <= 0) return;
  const gone = new AbortController();
  const leave = () => gone.abort();
  response.once('close', leave);
  await sleep(ms, undefined, { signal: gone.signal }).catch(() => undefined);
  response.off('close', leave);
}
