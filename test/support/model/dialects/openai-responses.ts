import {
  invalid,
  type Problem,
  type ResponsesRules,
} from '../../../../src/extras/dev/scripted-model/dialect.ts';
import type { ResponsesRequest } from '../../../../src/extras/dev/scripted-model/responses/request.ts';
import {
  asksForEncryptedContent,
  inputItems,
} from '../../../../src/extras/dev/scripted-model/responses/request.ts';
import { refuseFormat } from './formats.ts';
import { refuseMembers, refuseSampling, refuseTools } from './openai-members.ts';
import { notFound, turnGuard } from './openai-turns.ts';

const MEMBERS = new Set(
  `model input instructions tools tool_choice parallel_tool_calls max_output_tokens max_tool_calls
  temperature top_p reasoning store include stream stream_options background metadata text
  truncation user service_tier previous_response_id conversation prompt prompt_cache_key
  prompt_cache_retention prompt_cache_options safety_identifier top_logprobs context_management
  moderation`.split(/\s+/),
);

/**
 * OpenAI's Responses, used without stored state: what was thought must come back with what was
 * called, exactly as it was sent. Items are never kept, whatever `store` says.
 */
export function openAiResponses(): ResponsesRules {
  const turns = turnGuard();
  return {
    refuse(request) {
      return (
        refuseMembers(request, MEMBERS) ??
        refuseSampling(request) ??
        refuseTools(request.tools ?? []) ??
        refuseFormat(request) ??
        refuseStateful(request) ??
        refuseInclude(request) ??
        turns.refuse(inputItems(request))
      );
    },
    sendsReasoning: ({ model }) => !isWithoutReasoning(model),
    remember: (output) => turns.remember(output),
  };
}

function isWithoutReasoning(model: string): boolean {
  return model.includes('no-reasoning');
}

function refuseStateful(request: ResponsesRequest): Problem | undefined {
  const previous = request['previous_response_id'];
  if (typeof previous === 'string') {
    return invalid(`Previous response with id '${previous}' not found.`, {
      param: 'previous_response_id',
      code: 'previous_response_not_found',
    });
  }
  if (request['background'] === true && request.store === false) {
    return invalid('Background responses must be stored: set `store` to true.', {
      param: 'background',
    });
  }
  const reference = inputItems(request).find((item) => item.type === 'item_reference');
  return reference && notFound(reference.id);
}

function refuseInclude(request: ResponsesRequest): Problem | undefined {
  return isWithoutReasoning(request.model) && asksForEncryptedContent(request)
    ? invalid('Encrypted content is not supported with this model.', { param: 'include' })
    : undefined;
}
