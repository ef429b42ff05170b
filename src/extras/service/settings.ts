import { readCount, readFlag, readOneOf } from '../../env.ts';

/** Settings of the HTTP service. */
export interface ServiceSettings {
  /** Whether idempotency keys must stand in double quotes. */
  strictKeys: boolean;
  /** What a duplicate of a running run gets, the run or 409. */
  duplicates: 'attach' | 'conflict';
  /** Requests a minute of one tenant. */
  requestsPerMinute: number;
}

/** @throws {AgentOnceError} `config.invalid` */
export function readServiceSettings(env?: NodeJS.ProcessEnv): ServiceSettings {
  return {
    strictKeys: readFlag('AGENT_ONCE_HTTP_STRICT_KEYS', false, env),
    duplicates: readOneOf('AGENT_ONCE_HTTP_DUPLICATES', ['attach', 'conflict'], env) ?? 'attach',
    requestsPerMinute: readCount('AGENT_ONCE_HTTP_REQUESTS_PER_MINUTE', 600, env),
  };
}
