import { randomBytes } from 'node:crypto';
import { formatOf } from './formats.ts';
import { Issued, uniqueIds } from './issued.ts';
import {
  invalid,
  type Dialect,
  type Problem,
} from '../../../../src/extras/dev/scripted-model/dialect.ts';
import type { ChatMessage } from '../../../../src/extras/dev/scripted-model/wire.ts';

/** Google takes this in the place of a signature, for calls that another model made. */
const SKIP = 'skip_thought_signature_validator';

const STATUSES: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
};

/**
 * Gemini's endpoint of OpenAI's form, at Google AI (`google`) or Vertex AI (`vertex`). From Gemini 3
 * on the first of a turn's calls carries a signature, and must bring it back.
 */
export function geminiDialect(vendor: 'google' | 'vertex'): Dialect {
  /** The called tools, by signature. */
  const issued = new Issued<string>();

  function refuseTurn(message: ChatMessage, index: number, used: Set<string>): Problem | undefined {
    const [first] = message.tool_calls ?? [];
    if (!first) return undefined;
    const signature = signatureOf(first['extra_content'], vendor);
    if (signature === SKIP) return undefined;
    if (typeof signature !== 'string' || signature === '') {
      return invalid(
        `Function call is missing a thought_signature in functionCall parts. Additional data, function call \`default_api:${first.function.name}\`, position ${index + 1}.`,
      );
    }
    const names = (message.tool_calls ?? []).map((call) => call.function.name);
    if (used.has(signature) || !issued.get(signature).includes(namesKey(names))) {
      return invalid('Corrupted thought signature.');
    }
    used.add(signature);
    return undefined;
  }

  return {
    callIds: uniqueIds,
    errorBody: ({ status, message }) => [
      { error: { code: status, message, status: STATUSES[status] ?? 'UNKNOWN' } },
    ],
    refuseChat(request) {
      const { model, messages, tools } = request;
      if (formatOf(request) && (tools ?? []).length > 0) {
        return invalid(
          "Function calling with a response mime type: 'application/json' is unsupported",
        );
      }
      if (!signs(model)) return undefined;
      const used = new Set<string>();
      for (const [index, message] of messages.entries()) {
        const problem = refuseTurn(message, index, used);
        if (problem) return problem;
      }
      return undefined;
    },
    dressChat({ model, choices: [choice] }) {
      const calls = choice.message.tool_calls ?? [];
      if (choice.finish_reason === 'tool_calls') choice.finish_reason = 'stop';
      const [first] = calls;
      if (!first || !signs(model)) return;
      const signature = randomBytes(48).toString('base64');
      first['extra_content'] = { [vendor]: { thought_signature: signature } };
      issued.add(signature, namesKey(calls.map((call) => call.function.name)));
    },
  };
}

function signs(model: string): boolean {
  return /gemini-(?:[3-9]|\d{2,})/.test(model);
}

function signatureOf(extra: unknown, vendor: string): unknown {
  const found = (extra as Record<string, unknown> | null | undefined)?.[vendor];
  return (found as { thought_signature?: unknown } | null | undefined)?.thought_signature;
}

/** A client may have had to change a name that no endpoint takes back. */
function namesKey(names: readonly string[]): string {
  return names.map((name) => name.replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64)).join(' ');
}
