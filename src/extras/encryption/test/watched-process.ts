import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from '@jest/globals';
import { findFreePort } from '../../dev/ports.ts';
import { startCli } from '../../../../test/support/cli.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import { hasExtra } from '../../../../test/support/extras.ts';
import type { Named } from '../../../../test/support/search-text.ts';

/** A process of the command, with all that it tells of itself. */
interface WatchedProcess {
  /** What it said when it was ready. */
  ready: RegExpExecArray;
  /** Ends it, and returns its log, its metrics and its traces. */
  end(): Promise<Named>;
}

/**
 * Starts the command with a receiver of its traces and a port for its metrics.
 *
 * @param part stands before the names of what it tells
 * @param ready what it says when it is ready
 * @param span of which there must be one in the end
 */
export async function startWatched(
  part: string,
  args: string[],
  env: Record<string, string>,
  { ready, span }: { ready: RegExp; span: string },
): Promise<WatchedProcess> {
  let traces = '';
  const receiver = createServer((request, response) => {
    request.on('data', (chunk) => (traces += String(chunk))).on('end', () => response.end('{}'));
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const { port } = receiver.address() as AddressInfo;
  const metricsPort = await findFreePort();
  const command = startCli(args, {
    TEST_AGENTS: 'of workers',
    AGENT_ONCE_METRICS_PORT: String(metricsPort),
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_BSP_SCHEDULE_DELAY: '100',
    ...env,
  });
  const said = await eventually(() => {
    const found = ready.exec(command.stderr());
    if (found === null) throw new Error(`The ${part} is not ready: ${command.stderr()}`);
    return found;
  });
  return {
    ready: said,
    async end() {
      let metrics = '';
      if (hasExtra('metrics')) {
        const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
        metrics = await answer.text();
        expect(metrics).toContain('agent_once_');
      }
      command.child.kill('SIGTERM');
      const { stdout, stderr } = await command.ended;
      // Those that are left are sent before it ends.
      if (hasExtra('traces')) expect(traces).toContain(span);
      receiver.closeAllConnections();
      receiver.close();
      return {
        [`${part}: log`]: stdout + stderr,
        [`${part}: metrics`]: metrics,
        [`${part}: traces`]: traces,
      };
    },
  };
}
