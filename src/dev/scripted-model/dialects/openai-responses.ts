import { Issued } from '../issued.ts';
import type { Problem } from '../problem.ts';
import { invalid } from '../problem.ts';
import type { OutputItem } from '../responses/output.ts';
import type { InputItem, ReasoningItem, ResponsesRequest } from '../responses/request.ts';
import { asksForEncryptedContent, inputItems, isAnswerItem } from '../responses/request.ts';
import type { ResponsesRules } from './dialect.ts';
import { refuseMembers, refuseSampling, refuseTools } from './openai-members.ts';

const MEMBERS = new Set(
  `model input instructions tools tool_choice parallel_tool_calls max_output_tokens max_tool_calls
  temperature top_p reasoning store include stream stream_options background metadata text
  truncation user service_tier previous_response_id conversation prompt prompt_cache_key
  prompt_cache_retention prompt_cache_options safety_identifier top_logprobs context_management
  moderation`.split(/\s+/),
);

/** A reasoning item that went out with an answer. */
interface IssuedReasoning {
  id: string;
  encrypted: string | undefined;
}

/**
 * OpenAI's Responses, used without stored state: what was thought must come back with what was
 * called, exactly as it was sent. Items are never kept, whatever `store` says.
 */
export function openAiResponses(): ResponsesRules {
  const byEncrypted = new Issued<string>();
  /** The reasoning that went out with an item; `undefined`: none did. */
  const byItem = new Issued<IssuedReasoning | undefined>();
  const byCall = new Issued<IssuedReasoning | undefined>();

  function refuseReasoning(item: ReasoningItem): Problem | undefined {
    const { id, encrypted_content: encrypted } = item;
    if (encrypted === null || encrypted === undefined) {
      return typeof id === 'string'
        ? notFound(id)
        : invalid('Missing required parameter: a reasoning item has neither id nor content.');
    }
    const ids = byEncrypted.get(encrypted);
    if (ids.length > 0 && (typeof id !== 'string' || ids.includes(id))) return undefined;
    return invalid(
      `The encrypted content for item ${id ?? 'without id'} could not be verified. Reason: ${ids.length > 0 ? 'it belongs to another item.' : 'Encrypted content could not be decrypted or parsed.'}`,
      { code: 'invalid_encrypted_content' },
    );
  }

  function refuseTurn(turn: readonly InputItem[]): Problem | undefined {
    const thoughts: ReasoningItem[] = [];
    for (const [index, item] of turn.entries()) {
      if (item.type === 'reasoning') {
        const problem = refuseReasoning(item);
        if (problem) return problem;
        if (index === turn.length - 1) {
          return invalid(
            `Item '${item.id}' of type 'reasoning' was provided without its required following item.`,
            { param: 'input' },
          );
        }
        thoughts.push(item);
      } else if (item.type === 'function_call') {
        const problem = refuseCall(item, thoughts);
        if (problem) return problem;
      } else if (item.type === 'message' && typeof item.id === 'string') {
        const problem = refuseWithout(byItem.get(item.id), thoughts, item.id, item.type);
        if (problem) return problem;
      }
    }
    return undefined;
  }

  function refuseCall(
    item: Extract<InputItem, { type: 'function_call' }>,
    thoughts: readonly ReasoningItem[],
  ): Problem | undefined {
    const { id, call_id: callId, type } = item;
    if (typeof id === 'string') {
      if (!id.startsWith('fc')) {
        return invalid(`Invalid item id: '${id}'. Expected an ID that begins with 'fc'.`);
      }
      const issued = byItem.get(id);
      if (issued.length === 0 && thoughts.length === 0) return lacksReasoning(id, type);
      const problem = refuseWithout(issued, thoughts, id, type);
      if (problem) return problem;
    }
    // Without an encrypted text there was nothing that a stateless client could bring back.
    const due = byCall.get(callId).filter((each) => each?.encrypted !== undefined);
    return refuseWithout(due, thoughts, id ?? callId, type);
  }

  return {
    refuse(request) {
      return (
        refuseMembers(request, MEMBERS) ??
        refuseSampling(request) ??
        refuseTools(request.tools ?? []) ??
        refuseStateful(request) ??
        refuseInclude(request) ??
        firstOf(turnsOf(inputItems(request)), refuseTurn)
      );
    },
    sendsReasoning: ({ model }) => !isWithoutReasoning(model),
    remember(output) {
      const reasoning = output.find((item) => item.type === 'reasoning');
      const issued = reasoning && { id: reasoning.id, encrypted: reasoning.encrypted_content };
      if (issued?.encrypted !== undefined) byEncrypted.add(issued.encrypted, issued.id);
      for (const item of output) rememberItem(item, issued);
    },
  };

  function rememberItem(item: OutputItem, issued: IssuedReasoning | undefined): void {
    if (item.type !== 'reasoning') byItem.add(item.id, issued);
    if (item.type === 'function_call') byCall.add(item.call_id, issued);
  }
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

/** Consecutive items of the model: one answer. */
function turnsOf(items: readonly InputItem[]): InputItem[][] {
  const turns: InputItem[][] = [];
  let open = false;
  for (const item of items) {
    if (!isAnswerItem(item)) open = false;
    else if (open) turns.at(-1)?.push(item);
    else {
      turns.push([item]);
      open = true;
    }
  }
  return turns;
}

function refuseWithout(
  issued: readonly (IssuedReasoning | undefined)[],
  thoughts: readonly ReasoningItem[],
  id: string,
  type: string,
): Problem | undefined {
  if (issued.length === 0 || issued.includes(undefined)) return undefined;
  const came = issued.some((due) =>
    thoughts.some((thought) => thought.encrypted_content === due?.encrypted),
  );
  return came ? undefined : lacksReasoning(id, type, issued.at(-1)?.id);
}

function lacksReasoning(id: string, type: string, reasoning?: string): Problem {
  return invalid(
    `Item '${id}' of type '${type}' was provided without its required 'reasoning' item: '${reasoning ?? 'rs_unknown'}'.`,
    { param: 'input' },
  );
}

function notFound(id: string): Problem {
  return invalid(
    `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`,
    { status: 404, param: 'input' },
  );
}

function firstOf<T>(all: readonly T[], find: (one: T) => Problem | undefined) {
  for (const one of all) {
    const found = find(one);
    if (found) return found;
  }
  return undefined;
}
