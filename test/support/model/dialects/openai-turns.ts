import { Issued } from './issued.ts';
import { invalid, type Problem } from '../../../../src/extras/dev/scripted-model/dialect.ts';
import type { OutputItem } from '../../../../src/extras/dev/scripted-model/responses/output.ts';
import type {
  InputItem,
  ReasoningItem,
} from '../../../../src/extras/dev/scripted-model/responses/request.ts';
import { isAnswerItem } from '../../../../src/extras/dev/scripted-model/responses/request.ts';

/** A reasoning item that went out with an answer. */
interface IssuedReasoning {
  id: string;
  encrypted: string | undefined;
}

/**
 * Recognises the turns that an endpoint issued, and refuses those that came back without the
 * reasoning that belongs to them.
 */
export function turnGuard() {
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
    refuse(items: readonly InputItem[]): Problem | undefined {
      for (const turn of turnsOf(items)) {
        const problem = refuseTurn(turn);
        if (problem) return problem;
      }
      return undefined;
    },
    remember(output: readonly OutputItem[]): void {
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

export function notFound(id: string): Problem {
  return invalid(
    `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`,
    { status: 404, param: 'input' },
  );
}
