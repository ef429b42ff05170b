import type { JsonObject } from '../../contract/json.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import type { ModelRequest } from '../port.ts';
import type { Reading } from './answer.ts';
import type { Merged } from './event-stream.ts';
import { mergeChunks, textInChunk } from './chat/merge-chunks.ts';
import { readChat } from './chat/read-chat.ts';
import { toChatRequest } from './chat/chat-request.ts';
import type { Endpoint } from './endpoint.ts';
import type { GiveBack } from './request-parts.ts';
import { lastResponse, textInEvent } from './responses/last-response.ts';
import { readResponse } from './responses/read-response.ts';
import { toResponsesRequest } from './responses/responses-request.ts';

/** One of the two ways in which an endpoint is spoken to. */
export interface Api {
  path: string;
  /** Names the parts that came this way. */
  dialect: string;
  body(request: ModelRequest, giveBack: GiveBack, encrypted: boolean): JsonObject;
  /** `undefined`: they are no events of this API. */
  merge(events: readonly JsonValue[], done: boolean): Merged | undefined;
  read(value: unknown): Reading | undefined;
  /** What an event of a stream adds to the answer's text. */
  textIn(event: JsonValue): string;
  /** What asks for a stream. */
  asStream: JsonObject;
  /** What an answer should have been, for people. */
  name: string;
}

export function apiOf(endpoint: Endpoint): Api {
  return endpoint.api === 'responses' ? responsesApi(endpoint) : chatApi(endpoint);
}

function responsesApi(endpoint: Endpoint): Api {
  return {
    path: '/responses',
    dialect: 'responses',
    body: (request, ...how) => toResponsesRequest(request, endpoint, ...how),
    merge: lastResponse,
    read: readResponse,
    textIn: textInEvent,
    asStream: { stream: true },
    name: 'response',
  };
}

function chatApi(endpoint: Endpoint): Api {
  return {
    path: '/chat/completions',
    dialect: endpoint.dialect,
    body: (request, giveBack) => toChatRequest(request, endpoint, giveBack),
    merge: mergeChunks,
    read: readChat,
    textIn: textInChunk,
    asStream: {
      stream: true,
      ...(endpoint.streamUsage ? { stream_options: { include_usage: true } } : {}),
    },
    name: 'chat completion',
  };
}
