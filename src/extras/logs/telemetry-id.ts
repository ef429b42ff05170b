import { createHmac } from 'node:crypto';

/**
 * What a workflow ID or a token is called in logs, metrics and traces: its own text has the client's
 * key in it, or what other systems take as one, and a plain hash of a key that can be guessed says as
 * much.
 *
 * @param secret `AGENT_ONCE_TELEMETRY_KEY`: where it is not set, there is no such name
 * @returns the first 32 hex digits of the HMAC-SHA-256
 */
export function telemetryId(secret: string, name: string): string {
  return createHmac('sha256', secret).update(name, 'utf8').digest('hex').slice(0, 32);
}
