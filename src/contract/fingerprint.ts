import { defined } from './defined.ts';
import { sha256Hex } from './hash.ts';
import { canonicalJson, type JsonValue } from './json.ts';
import type { RunOptions } from './run.ts';

/** What makes two requests under one key the same request. */
export interface FingerprintedRequest {
  tenant: string;
  agent: string;
  input?: JsonValue;
  options?: RunOptions;
}

/**
 * The fingerprint of a request: SHA-256, in hex, of the RFC 8785 form of
 * `{v:1, tenant, agent, input, options}`, with only the fields that the caller sent, so that a
 * default added later changes no fingerprint. Test vectors: `docs/fingerprint-vectors.json`.
 *
 * @throws {AgentOnceError} `input.invalid`
 */
export function fingerprintOf(request: FingerprintedRequest): string {
  const { tenant, agent, input, options } = request;
  return sha256Hex(canonicalJson({ v: 1, ...defined({ tenant, agent, input, options }) }));
}
