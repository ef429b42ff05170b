import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { loadClientConfigProfile } from '@temporalio/envconfig';
import { AgentOnceError } from '../contract/errors.ts';

type Profile = ReturnType<typeof loadClientConfigProfile>;
type Source = NonNullable<Profile['tls']>['serverCACert'];

const FOR_HEADERS = /^[\x20-\x7e]*$/;
const CERTIFICATE = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----/;
/** What is longer, or has lines, is no path but perhaps the key itself. */
const PATH = /^[^\r\n\0]{1,255}$/;

/**
 * Checks what Temporal's clients would refuse with the value itself in their message, or take
 * without a word and fail later.
 *
 * @throws {AgentOnceError} `config.invalid`: names the variable, never its value
 */
export function checkTemporalProfile({ apiKey, grpcMeta = {}, tls }: Profile): void {
  if (apiKey !== undefined && (apiKey === '' || !FOR_HEADERS.test(apiKey))) {
    throw invalid(
      'TEMPORAL_API_KEY is empty, or has a character that no header can hold, such as a line break at its end',
    );
  }
  for (const [name, value] of Object.entries(grpcMeta)) {
    if (FOR_HEADERS.test(name) && FOR_HEADERS.test(value)) continue;
    throw invalid('A TEMPORAL_GRPC_META_… variable has a character that no header can hold');
  }
  if (tls === undefined || tls.disabled === true) return;
  const ca = read('TEMPORAL_TLS_SERVER_CA_CERT', tls.serverCACert);
  const cert = read('TEMPORAL_TLS_CLIENT_CERT', tls.clientCert);
  const key = read('TEMPORAL_TLS_CLIENT_KEY', tls.clientKey);
  if (ca !== undefined && !CERTIFICATE.test(ca)) {
    throw invalid('TEMPORAL_TLS_SERVER_CA_CERT_… holds no certificate in PEM');
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw invalid(
      'TEMPORAL_TLS_CLIENT_CERT_… and TEMPORAL_TLS_CLIENT_KEY_… go together, and one is missing',
    );
  }
  if (cert === undefined || key === undefined) return;
  try {
    createSecureContext({ cert, key });
  } catch {
    throw invalid(
      'TEMPORAL_TLS_CLIENT_CERT_… and TEMPORAL_TLS_CLIENT_KEY_… hold no certificate with its key in PEM',
    );
  }
}

function read(variable: string, source: Source): string | undefined {
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
