import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { hashConversation } from './calls.ts';
import { tokenOf } from './counters.ts';
import { directiveScript } from './directive.ts';
import type { Dialect } from './dialects/dialect.ts';
import { distort } from './distort.ts';
import type { Exchange, Opened } from './exchange.ts';
import type { Fault, FaultQueue } from './fault.ts';
import { isAnswerFault, timesOf } from './fault.ts';
import { playFault } from './play-fault.ts';
import type { Problem } from './problem.ts';
import { invalid, openAiErrorBody } from './problem.ts';
import type { ParsedReply, Script } from './script.ts';
import { scriptReply } from './script.ts';
import type { Sent } from './send.ts';
import { sendText } from './send.ts';
import type { ChatRequest } from './wire.ts';
import { conversationText } from './wire.ts';

const fallback: Script = {
  name: 'fallback',
  matches: () => true,
  reply: (request) => ({
    say: `The scripted model heard ${request.messages.length} message(s) and has no script for them.`,
  }),
};

/** Plays scripts and faults, for both APIs and in every dialect. */
export class Player {
  readonly #scripts: readonly Script[];
  readonly #faults: FaultQueue;
  /** How often a script's fault was played, by step. */
  readonly #played = new Map<string, number>();
  /** Every answer waits this long, in milliseconds. */
  delayMs: number;

  constructor(scripts: readonly Script[], faults: FaultQueue, delayMs: number) {
    this.#scripts = [directiveScript, ...scripts, fallback];
    this.#faults = faults;
    this.delayMs = delayMs;
  }

  /**
   * @param key the `Idempotency-Key`
   * @returns what was sent whole; `undefined`: nothing was
   */
  async answer(
    opened: Opened,
    dialect: Dialect,
    key: string | undefined,
    response: ServerResponse,
  ): Promise<Sent | undefined> {
    const { exchange } = opened;
    if (!exchange) return sendProblem(response, opened.problem, dialect.errorBody);
    const { request } = exchange;
    const script = this.#scripts.find((candidate) => candidate.matches(request)) ?? fallback;
    const reply = playScript(script, request);
    if (reply.error !== undefined) {
      const wrong = invalid(`Script ${script.name}: ${reply.error}`, {
        type: 'invalid_script',
        code: 'invalid_script',
      });
      return sendProblem(response, wrong, openAiErrorBody);
    }
    const fault =
      this.#faults.take(conversationText(request)) ?? this.#dueFault(request, key, reply.value);
    await waitUnlessGone(response, this.delayMs + (reply.value.delayMs ?? 0));
    if (response.destroyed) return undefined;
    return send(exchange, reply.value, fault, dialect, response);
  }

  #dueFault(request: ChatRequest, key: string | undefined, reply: ParsedReply): Fault | undefined {
    if (!reply.fault) return undefined;
    const step = key === undefined ? hashConversation(request) : tokenOf(key);
    const played = this.#played.get(step) ?? 0;
    if (played >= timesOf(reply.fault)) return undefined;
    this.#played.set(step, played + 1);
    return reply.fault;
  }
}

export function sendProblem(
  response: ServerResponse,
  problem: Problem,
  form: (problem: Problem) => unknown,
): Sent {
  return sendText(response, problem.status, JSON.stringify(form(problem)), {
    'content-type': 'application/json',
  });
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

async function send(
  { request, stream, answer }: Exchange,
  reply: ParsedReply,
  fault: Fault | undefined,
  dialect: Dialect,
  response: ServerResponse,
): Promise<Sent | undefined> {
  const said = fault && isAnswerFault(fault) ? distort(request, reply, fault) : reply;
  const { id, body, events } = answer(said);
  const json = () => JSON.stringify(body);
  const eventText = () => events().join('');
  const type = stream ? 'text/event-stream; charset=utf-8' : 'application/json';
  const text = stream ? eventText() : json();
  if (!fault || isAnswerFault(fault)) {
    return sendText(response, 200, text, { 'content-type': type, 'x-request-id': id });
  }
  const due = { type, text, json, events: eventText, errorBody: dialect.errorBody };
  const sent = playFault(response, fault, due);
  if (!sent) await closed(response);
  return sent;
}

/** What is not sent whole ends when the client goes, or the server stops. */
function closed(response: ServerResponse): Promise<void> {
  if (response.closed || response.destroyed) return Promise.resolve();
  return new Promise((resolve) => response.once('close', () => resolve()));
}

async function waitUnlessGone(response: ServerResponse, ms: number): Promise<void> {
  if (ms <= 0) return;
  const gone = new AbortController();
  const leave = () => gone.abort();
  response.once('close', leave);
  await sleep(ms, undefined, { signal: gone.signal }).catch(() => undefined);
  response.off('close', leave);
}
