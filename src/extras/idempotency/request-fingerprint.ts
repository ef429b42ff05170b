import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { sha256Hex } from '../../contract/hash.ts';
import { canonicalJson } from '../../contract/json.ts';

/**
 * What makes two requests with a key the same one, beside tenant, method and path: the query string
 * as it was sent, and the body; of a JSON body its value (RFC 8785), of any other its bytes.
 *
 * @returns SHA-256 in hex
 * @throws {AgentOnceError} `input.invalid`: the body is neither
 */
export function fingerprintOf({ url, body }: FastifyRequest): string {
  const at = url.indexOf('?');
  const query = at === -1 ? '' : url.slice(at + 1);
  return sha256Hex(canonicalJson({ query, ...contentOf(body) }));
}

function contentOf(body: unknown): object {
  if (body === undefined) return {};
  if (body instanceof Uint8Array) return { bytes: createHash('sha256').update(body).digest('hex') };
  return { body };
}
