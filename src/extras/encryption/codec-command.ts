import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Command } from 'commander';
import { parsePort } from '../../cli/options.ts';
import { DEV_PORTS } from '../../config.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { invalidSetting } from '../../env.ts';
import { KEYS, readKeys } from './keys.ts';
import { portProblem } from '../../contract/port-problem.ts';

/** For the error where its port is taken. */
const WHAT = 'the codec server should listen';
const ADVICE = 'Stop what listens there, or choose another with --port';

interface CodecFlags {
  host: string;
  port: number;
  origin: string[];
}

const PORT = 8_089;
/** Where `agent-once dev` and Temporal's own development server have it. */
const UI_OF_DEV = ['localhost', '127.0.0.1'].map((host) => `http://${host}:${DEV_PORTS.ui}`);

/** `agent-once codec`: decrypts for Temporal UI and Temporal's CLI, until it is told to stop. */
export function registerCodec(program: Command): void {
  program
    .command('codec')
    .description("show Temporal's UI and CLI what is encrypted")
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <port>', 'port to listen on (0: any free one)', parsePort, PORT)
    .option('--origin <url...>', 'where Temporal UI is', UI_OF_DEV)
    .addHelpText(
      'after',
      `
Whoever uses it must know AGENT_ONCE_CODEC_TOKEN: browsers sign in at its page, the CLI sends it along.
See docs/encryption.md.

Examples:
  $ agent-once codec --origin https://temporal.example
  $ temporal workflow show --workflow-id ID --codec-endpoint http://localhost:${PORT} --codec-auth "Bearer $AGENT_ONCE_CODEC_TOKEN"`,
    )
    .action(serveCodec);
}

async function serveCodec({ host, port, origin }: CodecFlags): Promise<void> {
  const keys = readKeys();
  if (keys.byId.size === 0)
    throw invalidSetting(KEYS, 'is not set: there is nothing to decrypt with');
  const [{ createCodec }, { createCodecServer }, { readCodecAccess }] = await Promise.all([
    import('./codec.ts'),
    import('./codec-server.ts'),
    import('./codec-access.ts'),
  ]);
  const server = createCodecServer({
    codec: createCodec(keys),
    access: readCodecAccess(),
    origins: origin.map(originOf),
  });
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw portProblem(port, WHAT, ADVICE, error as NodeJS.ErrnoException);
  }
  const { port: bound } = server.address() as AddressInfo;
  const name = host.includes(':') ? `[${host}]` : host;
  process.stderr.write(`The codec server is ready: http://${name}:${bound}\n`);
  await once(server, 'close');
}

function originOf(url: string): string {
  if (URL.canParse(url) && /^https?:/i.test(url)) return new URL(url).origin;
  throw new AgentOnceError('usage', '--origin is no http or https URL.');
}
