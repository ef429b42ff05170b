import type { CallIds } from '../calls.ts';
import type { ParsedReply } from '../script.ts';
import { usageOf } from '../usage.ts';
import type { ChatRequest } from '../wire.ts';
import type { OutputItem } from './output.ts';
import { newId, toOutput } from './output.ts';
import type { ResponsesRequest } from './request.ts';
import { asksForEncryptedContent } from './request.ts';

/** 2026-01-01, as in chat completions. */
const CREATED = 1_767_225_600;

export interface ResponseBody extends Ending {
  id: string;
  object: 'response';
  output: OutputItem[];
  [member: string]: unknown;
}

/** A reply as the body of a response. */
export function toResponse(
  request: ResponsesRequest,
  chat: ChatRequest,
  reply: ParsedReply,
  { callIds, reasoning }: { callIds: CallIds; reasoning: boolean },
): ResponseBody {
  const ending = endingOf(reply);
  const output = toOutput(chat, reply, {
    callIds,
    reasoning,
    encrypted: asksForEncryptedContent(request),
    status: ending.status === 'incomplete' ? 'incomplete' : 'completed',
  });
  const usage = usageOf(chat, reply);
  return {
    id: newId('resp'),
    object: 'response',
    created_at: CREATED,
    ...ending,
    background: false,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    metadata: {},
    model: request.model,
    output,
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: null,
    reasoning: { effort: request.reasoning?.effort ?? null, summary: null },
    store: request.store ?? true,
    temperature: request.temperature ?? 1,
    text: { format: { type: 'text' } },
    tool_choice: request['tool_choice'] ?? 'auto',
    tools: request.tools ?? [],
    top_p: 1,
    truncation: 'disabled',
    usage: usage
      ? {
          input_tokens: usage.inputTokens,
          input_tokens_details: { cached_tokens: usage.cachedInputTokens ?? 0 },
          output_tokens: usage.outputTokens,
          output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
          total_tokens: usage.inputTokens + usage.outputTokens,
        }
      : null,
  };
}

interface Ending {
  status: string | null;
  incomplete_details: { reason: string } | null;
  error: { code: string; message: string } | null;
}

function endingOf({ finish }: ParsedReply): Ending {
  const whole = { status: 'completed', incomplete_details: null, error: null };
  const incomplete = (reason: string) => ({
    ...whole,
    status: 'incomplete',
    incomplete_details: { reason },
  });
  switch (finish) {
    case undefined:
    case 'stop':
    case 'tool_calls':
      return whole;
    case null:
      return { ...whole, status: null };
    case 'length':
      return incomplete('max_output_tokens');
    case 'error':
    case 'failed': {
      const message = 'The model failed to make an answer.';
      return { ...whole, status: 'failed', error: { code: 'server_error', message } };
    }
    case 'cancelled':
    case 'queued':
    case 'in_progress':
      return { ...whole, status: finish };
    default:
      return incomplete(finish);
  }
}
