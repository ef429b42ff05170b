import { loadClientConfigProfile, loadClientConnectConfig } from '@temporalio/envconfig';
import { AgentOnceError } from '../contract/errors.ts';
import { checkTemporalProfile } from './check-temporal-config.ts';

/** Where `agent-once dev` puts its server. */
const DEV_ADDRESS = '127.0.0.1:7233';
const ADDRESS = /^(?:[^\s:/@[\]]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/;

type ConnectConfig = ReturnType<typeof loadClientConnectConfig>;

export interface TemporalConfig {
  address: string;
  namespace: string;
  connectionOptions: ConnectConfig['connectionOptions'];
}

/**
 * Reads Temporal's own environment configuration (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`,
 * `TEMPORAL_PROFILE` …), for clients and workers alike; by default the dev stack's server.
 *
 * @throws {AgentOnceError} `config.invalid`
 */
export function readTemporalConfig(): TemporalConfig {
  const config = load();
  const { connectionOptions, namespace = 'default' } = config;
  const address = connectionOptions.address ?? DEV_ADDRESS;
  if (!ADDRESS.test(address)) {
    throw new AgentOnceError(
      'config.invalid',
      'TEMPORAL_ADDRESS is not of the form host:port, such as 127.0.0.1:7233. See docs/configuration.md.',
    );
  }
  return { address, namespace, connectionOptions };
}

function load(): ConnectConfig {
  try {
    checkTemporalProfile(loadClientConfigProfile());
    return loadClientConnectConfig();
  } catch (error) {
    if (error instanceof AgentOnceError) throw error;
    // Of a file that is no TOML, the parser's further lines and its error show what stands there:
    // API keys.
    const [problem] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new AgentOnceError(
      'config.invalid',
      `Temporal's configuration cannot be read: ${problem}. See TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE and the TEMPORAL_TLS_… variables.`,
    );
  }
}
