import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { loadClientConfigProfile, loadClientConnectConfig } from '@temporalio/envconfig';
import { AgentOnceError } from '../contract/errors.ts';

/** Where `agent-once dev` puts its server. */
const DEV_ADDRESS = '127.0.0.1:7233';
const ADDRESS = /^(?:[^\s:/@[\]]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/;
const FOR_HEADERS = /^[\x20-\x7e]*$/;
const CERTIFICATE = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----/;
/** What is longer, or has lines, is no path but perhaps the key itself. */
const PATH = /^[^\r\n\0]{1,255}$/;

type Profile = ReturnType<typeof loadClientConfigProfile>;
type Tls = NonNullable<Profile['tls']>;

export interface TemporalConfig {
  address: string;
  namespace: string;
  connectionOptions: ReturnType<typeof loadClientConnectConfig>['connectionOptions'];
}

/**
 * Reads Temporal's own environment configuration (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`,
 * `TEMPORAL_PROFILE` …), for clients and workers alike; by default the dev stack's server.
 *
 * @throws {AgentOnceError} `config.invalid`: names the variable, never its value
 */
export function readTemporalConfig(): TemporalConfig {
  const { connectionOptions, namespace = 'default' } = load();
  const address = connectionOptions.address ?? DEV_ADDRESS;
  if (!ADDRESS.test(address)) {
    throw invalid('TEMPORAL_ADDRESS is not of the form host:port, such as 127.0.0.1:7233');
  }
  return { address, namespace, connectionOptions };
}

function load(): ReturnType<typeof loadClientConnectConfig> {
  try {
    check(loadClientConfigProfile());
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

/**
 * Refuses what Temporal's clients would refuse with the value itself in their message, or would take
 * without a word and fail later.
 */
function check({ apiKey, grpcMeta = {}, tls }: Profile): void {
  if (apiKey !== undefined && (apiKey === '' || !FOR_HEADERS.test(apiKey))) {
    throw invalid(
      'TEMPORAL_API_KEY is empty, or has a character that no header can hold, such as a line break at its end',
    );
  }
  const metadata = Object.entries(grpcMeta).flat();
  if (!metadata.every((text) => FOR_HEADERS.test(text))) {
    throw invalid('A TEMPORAL_GRPC_META_… variable has a character that no header can hold');
  }
  if (tls === undefined || tls.disabled === true) return;
  const ca = read('TEMPORAL_TLS_SERVER_CA_CERT', tls.serverCACert);
  const cert = read('TEMPORAL_TLS_CLIENT_CERT', tls.clientCert);
  const key = read('TEMPORAL_TLS_CLIENT_KEY', tls.clientKey);
  if (ca !== undefined && !CERTIFICATE.test(ca)) {
    throw invalid('TEMPORAL_TLS_SERVER_CA_CERT_… holds no certificate in PEM');
  }
  if (cert === undefined && key === undefined) return;
  const both = 'TEMPORAL_TLS_CLIENT_CERT_… and TEMPORAL_TLS_CLIENT_KEY_…';
  if (cert === undefined || key === undefined) {
    throw invalid(`${both} go together, and one is missing`);
  }
  try {
    createSecureContext({ cert, key });
  } catch {
    throw invalid(`${both} hold no certificate with its key in PEM`);
  }
}

function read(variable: string, source: Tls['serverCACert']): string | undefined {
  if (source === undefined) return undefined;
  if (!('path' in source)) return Buffer.from(source.data).toString();
  try {
    return readFileSync(source.path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const file = PATH.test(source.path) ? `, ${source.path},` : '';
    throw invalid(`The file of ${variable}_PATH${file} cannot be read (${code})`);
  }
}

function invalid(problem: string): AgentOnceError {
  return new AgentOnceError('config.invalid', `${problem}. See docs/configuration.md.`);
}
