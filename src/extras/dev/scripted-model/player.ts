import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { invalid, openAiErrorBody } from './dialect.ts';
import { directiveScript } from './directive.ts';
import type { Extension, Turn } from './extension.ts';
import type { ParsedReply, Script } from './script.ts';
import type { ChatRequest } from './wire.ts';

const fallback: Script = {
  name: 'fallback',
  matches: () => true,
  reply: (request) => ({
    say: `The scripted model heard ${request.messages.length} message(s) and has no script for them.`,
  }),
};

/** Plays scripts, for both APIs and in every dialect. */
export class Player {
  readonly #scripts: readonly Script[];
  readonly #extension: Extension;
  /** Every answer waits this long, in milliseconds. */
  delayMs: number;

  constructor(scripts: readonly Script[], extension: Extension, delayMs: number) {
    this.#scripts = [directiveScript(extension.reply), ...scripts, fallback];
    this.#extension = extension;
    this.delayMs = delayMs;
  }

  async answer(turn: Omit<Turn, 'reply'>, http: FastifyReply): Promise<void> {
    const { request } = turn;
    const script = this.#scripts.find((candidate) => candidate.matches(request)) ?? fallback;
    const reply = this.#replyOf(script, request);
    if (typeof reply === 'string') {
      const type = 'invalid_script';
      const wrong = invalid(`Script ${script.name}: ${reply}`, { type, code: type });
      http.code(wrong.status).send(openAiErrorBody(wrong));
      return;
    }
    await waitUnlessGone(http.raw, this.delayMs + (reply.delayMs ?? 0));
    if (!http.raw.destroyed) await this.#extension.play({ ...turn, reply }, http);
  }

  /** A text: what is wrong with the script. */
  #replyOf(script: Script, request: ChatRequest): ParsedReply | string {
    try {
      return this.#extension.reply.parse(script.reply(request));
    } catch (error) {
      if (error instanceof z.ZodError) return z.prettifyError(error);
      return error instanceof Error ? error.message : String(error);
    }
  }
}

async function waitUnlessGone(response: ServerResponse, ms: number): Promise<void> {
  if (ms <= 0) return;
  const gone = new AbortController();
  const leave = () => gone.abort();
  response.once('close', leave);
  await sleep(ms, undefined, { signal: gone.signal }).catch(() => undefined);
  response.off('close', leave);
}
