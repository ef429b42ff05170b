import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

/** A CA, a server's certificate of it for `localhost` and 127.0.0.1, and a client's: files in PEM. */
export interface Certificates {
  ca: string;
  /** A CA that has signed none of them. */
  otherCa: string;
  server: { cert: string; key: string };
  client: { cert: string; key: string };
  /** No certificate. */
  garbage: string;
  missing: string;
  remove(): Promise<void>;
}

const run = promisify(execFile);
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export async function makeCertificates(): Promise<Certificates> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-certificates-'));
  const file = (name: string): string => path.join(folder, name);
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder });
  const makeCa = (name: string) =>
    openssl(
      'req',
      '-x509',
      ...KEY,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
      '-subj',
      `/CN=${name}`,
      '-days',
      '2',
    );
  const make = async (name: string, extensions: string) => {
    await writeFile(file(`${name}.ext`), extensions);
    await openssl(
      'req',
      ...KEY,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${name}`,
    );
    await openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-out',
      `${name}.pem`,
      '-days',
      '2',
      '-extfile',
      `${name}.ext`,
    );
    return { cert: file(`${name}.pem`), key: file(`${name}.key`) };
  };
  await makeCa('ca');
  await makeCa('other-ca');
  const server = await make('server', 'subjectAltName=DNS:localhost,IP:127.0.0.1');
  const client = await make('client', 'extendedKeyUsage=clientAuth');
  await writeFile(file('garbage.pem'), 'not PEM');
  return {
    ca: file('ca.pem'),
    otherCa: file('other-ca.pem'),
    server,
    client,
    garbage: file('garbage.pem'),
    missing: file('missing.pem'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** What `node:tls` takes for a server. */
export async function serverTls({ server }: Certificates): Promise<{ cert: Buffer; key: Buffer }> {
  return { cert: await readFile(server.cert), key: await readFile(server.key) };
}
