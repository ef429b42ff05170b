import type { FastifyReply } from 'fastify';
import type { Extension, Turn } from '../../../src/extras/dev/scripted-model/extension.ts';
import {
  startScriptedModel,
  type ScriptedModel,
  type ScriptedModelOptions,
} from '../../../src/extras/dev/scripted-model/server.ts';
import { toChatEvents } from './chat-events.ts';
import { createDialects, type DialectName } from './dialects/dialects.ts';
import { answerOf } from './distort.ts';
import { isAnswerFault } from './fault.ts';
import { Faults } from './faults.ts';
import { playFault } from './play-fault.ts';
import { keepRequests } from './received-requests.ts';
import { toResponseEvents } from './response-events.ts';
import { testReply, type TestReply } from './test-reply.ts';

export interface TestModel extends ScriptedModel {
  /** The URL of an endpoint that refuses what its namesake refuses: `…/kimi/v1`. */
  dialectUrl(name: DialectName): string;
}

/**
 * The scripted model, and what only tests need of it: strict endpoints at `/NAME/v1`, streams for
 * who asks with `stream: true`, odd answers, faults in scripts and at `/faults`, `GET /requests`.
 */
export async function startTestModel(
  options: Omit<ScriptedModelOptions, 'extension'> = {},
): Promise<TestModel> {
  const faults = new Faults();
  const extension: Extension = {
    dialects: createDialects(),
    reply: testReply,
    extend(app) {
      faults.addRoutes(app);
      keepRequests(app);
    },
    play: (turn, http) => play(turn, http, faults),
  };
  const model = await startScriptedModel({ ...options, extension });
  return { ...model, dialectUrl: (name) => model.url.replace(/v1$/, `${name}/v1`) };
}

function play(turn: Turn, http: FastifyReply, faults: Faults): void {
  const reply = turn.reply as TestReply;
  const due = faults.take(turn, reply.fault);
  const body = answerOf(turn, reply, due);
  const asked = http.request.body as {
    stream?: boolean;
    stream_options?: { include_usage?: boolean };
  };
  const json = () => JSON.stringify(body);
  const events = () =>
    (body.object === 'response'
      ? toResponseEvents(body)
      : toChatEvents(body, asked.stream_options?.include_usage ?? false)
    ).join('');
  const type = asked.stream ? 'text/event-stream; charset=utf-8' : 'application/json';
  const text = asked.stream ? events() : json();
  if (due && !isAnswerFault(due)) {
    playFault(http, due, { type, text, json, events, errorBody: turn.dialect.errorBody });
  } else http.header('x-request-id', body.id).type(type).send(text);
}
