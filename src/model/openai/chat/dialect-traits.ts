import type { DialectName } from '../../../contract/dialects.ts';
import { sha256Hex } from '../../../contract/hash.ts';
import type { JsonObject } from '../../../contract/json.ts';

/** How an endpoint wants its conversation told. */
export interface DialectTraits {
  /** What a message with calls says in the place of thoughts that nobody has kept. */
  withoutThoughts?: JsonObject;
  /** What its first call says in the place of a signature that nobody has kept. */
  withoutSignature?: JsonObject;
  /** Rewrites the names of calls. */
  callId?: (id: string) => string;
  /** `false`: not all of them heed a `tool_choice` that names a tool; llama.cpp reads words alone. */
  choosesByName?: false;
}

/** Google's documented word for a call that no thought of this model led to. */
const UNSIGNED = { thought_signature: 'skip_thought_signature_validator' };

const TRAITS: Partial<Record<DialectName, DialectTraits>> = {
  gemini: { withoutSignature: { extra_content: { google: UNSIGNED } } },
  vertex: { withoutSignature: { extra_content: { vertex: UNSIGNED } } },
  deepseek: { withoutThoughts: { reasoning_content: '' } },
  // It refuses an empty text like one that is missing.
  kimi: { withoutThoughts: { reasoning_content: ' ' } },
  mistral: { callId: nineLettersOrDigits },
  ollama: { choosesByName: false },
  other: { choosesByName: false },
};

export function traitsOf(dialect: DialectName): DialectTraits {
  return TRAITS[dialect] ?? {};
}

/** The same for the same call, so that its answer finds it. */
function nineLettersOrDigits(id: string): string {
  return sha256Hex(id).slice(0, 9);
}
