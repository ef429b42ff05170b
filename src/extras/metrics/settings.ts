import { readPort } from '../../env.ts';

/**
 * Where the process tells its metrics; `undefined`: nowhere, and nothing is counted.
 *
 * @throws {AgentOnceError} `config.invalid`
 */
export function readMetricsPort(env?: NodeJS.ProcessEnv): number | undefined {
  return readPort('AGENT_ONCE_METRICS_PORT', env);
}
