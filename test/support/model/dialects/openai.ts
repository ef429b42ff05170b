import { refuseFormat } from './formats.ts';
import { uniqueIds } from './issued.ts';
import {
  invalid,
  openAiErrorBody,
  type Dialect,
  type Problem,
} from '../../../../src/extras/dev/scripted-model/dialect.ts';
import type { ChatRequest } from '../../../../src/extras/dev/scripted-model/wire.ts';
import { isGpt6, refuseMembers, refuseSampling, refuseTools } from './openai-members.ts';
import { openAiResponses } from './openai-responses.ts';

const BODY = new Set(
  `model messages tools tool_choice parallel_tool_calls max_tokens max_completion_tokens temperature
  top_p n stop stream stream_options store metadata user reasoning_effort verbosity response_format
  frequency_penalty presence_penalty logit_bias logprobs top_logprobs seed service_tier modalities
  audio prediction prompt_cache_key prompt_cache_retention prompt_cache_options safety_identifier
  web_search_options functions function_call moderation`.split(/\s+/),
);
const MESSAGE = new Set(
  `role content name refusal audio function_call tool_calls tool_call_id`.split(/\s+/),
);
const CALL = new Set(['id', 'type', 'function']);

/** From gpt-5.4 on. */
const NEEDS_EFFORT_NONE = /^gpt-(?:5\.(?:[4-9]|\d{2,})|[6-9]|\d{2,})/;
const RESPONSES_ONLY = /^gpt-6-astra|^gpt-6\.1-sol|-(?:codex|pro)(?:-|$)/;

/** OpenAI, and Azure's endpoint of the same form. */
export function openAiDialect(): Dialect {
  return {
    callIds: uniqueIds,
    errorBody: openAiErrorBody,
    refuseChat: (request) =>
      refuseMembers(request, BODY) ??
      refuseMessages(request) ??
      refuseParameters(request) ??
      refuseSampling(request) ??
      refuseFormat(request) ??
      refuseToolUse(request),
    responses: openAiResponses(),
  };
}

function refuseMessages({ messages }: ChatRequest): Problem | undefined {
  for (const [index, message] of messages.entries()) {
    const problem = refuseMembers(message, MESSAGE, `messages[${index}].`);
    if (problem) return problem;
    for (const [at, call] of (message.tool_calls ?? []).entries()) {
      const where = `messages[${index}].tool_calls[${at}].`;
      const wrong = refuseMembers(call, CALL, where) ?? refuseLongId(call.id, where);
      if (wrong) return wrong;
    }
  }
  return undefined;
}

function refuseLongId(id: string, where: string): Problem | undefined {
  if (id.length <= 40) return undefined;
  return invalid(
    `Invalid '${where}id': string too long. Expected a string with maximum length 40, but got a string with length ${id.length} instead.`,
    { param: `${where}id`, code: 'string_above_max_length' },
  );
}

function refuseParameters(request: ChatRequest): Problem | undefined {
  if (!isGpt6(request.model)) return undefined;
  for (const [param, hint] of [
    ['max_tokens', " Use 'max_completion_tokens' instead."],
    ['stop', ''],
  ] as const) {
    if (request[param] === undefined || request[param] === null) continue;
    return invalid(`Unsupported parameter: '${param}' is not supported with this model.${hint}`, {
      param,
      code: 'unsupported_parameter',
    });
  }
  return undefined;
}

function refuseToolUse(request: ChatRequest): Problem | undefined {
  const { model } = request;
  const tools = (request.tools ?? []).map((tool) => tool.function);
  if (tools.length === 0) return undefined;
  if (RESPONSES_ONLY.test(model)) {
    return invalid(
      `Function tools are not supported for ${model} in /v1/chat/completions. To use function tools, use /v1/responses.`,
      { param: 'tools' },
    );
  }
  if (NEEDS_EFFORT_NONE.test(model) && request['reasoning_effort'] !== 'none') {
    return invalid(
      `Function tools with reasoning_effort are not supported for ${model} in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.`,
      { param: 'reasoning_effort' },
    );
  }
  return refuseTools(tools);
}
