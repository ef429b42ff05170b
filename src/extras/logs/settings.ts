import { readOneOf } from '../../env.ts';

export type LogFormat = 'json' | 'text';

/**
 * @returns `undefined`: text on a terminal, else JSON
 * @throws {AgentOnceError} `config.invalid`
 */
export function readLogFormat(env?: NodeJS.ProcessEnv): LogFormat | undefined {
  return readOneOf('AGENT_ONCE_LOG_FORMAT', ['json', 'text'], env);
}
