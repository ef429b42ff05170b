import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Client } from '@temporalio/client';
import { PROJECT_ROOT } from '../../src/extras/dev/paths.ts';
import { benchAgents } from '../ours/agent.ts';
import type { Row } from '../row.ts';
import type { BenchServers } from '../servers.ts';
import { questionFor } from '../shape.ts';
import type { HttpCase, Target } from './load.ts';
import { measureHttp, type HttpOptions } from './measure-http.ts';
import { startMeasured } from '../process.ts';
import { measureReplays, type MemorySample } from './replays.ts';
import { startOf } from './start-of.ts';

// Whose runs have no setting of their own, so that the bare route can start the same.
const AGENT = benchAgents.standard.name;
const INPUT = questionFor('standard');

export interface HttpReport {
  /** In `plain` the figures of the bare route. */
  rows: Row[];
  /** What our service holds after so many replays. */
  memory: MemorySample[];
}

/** The HTTP service can be deleted, and with it the program that starts it here. */
export function hasService(): boolean {
  return existsSync(path.join(import.meta.dirname, 'service.ts'));
}

/**
 * Our HTTP service against a bare route. Stops the workers: while this is measured nothing else
 * has work, and what is started waits.
 */
export async function httpPart(
  servers: BenchServers,
  temporal: Client,
  options: HttpOptions & { replays: number },
  tell: (line: string) => void,
): Promise<HttpReport> {
  const { AGENT_ONCE_LOG_LEVEL: _, ...env } = servers.env;
  const log = (name: string): string => path.join(servers.folder, `${name}.log`);
  tell('HTTP: starting our service and the bare route …');
  const service = await startMeasured('http/service.ts', log('service'), {
    ...env,
    AGENT_ONCE_HTTP_REQUESTS_PER_MINUTE: '100000000',
  });
  try {
    const headers = { authorization: `Bearer ${await createApiKey(env)}` };
    const ours: Target = { name: 'ours', url: `${service.url}/v1/agents/${AGENT}/runs`, headers };
    const key = randomUUID();
    const id = await completeRun(temporal, ours, key);
    const bare = await startMeasured('http/bare-route.ts', log('bare-route'), {
      ...env,
      BENCH_START: JSON.stringify(await startOf(temporal, id)),
    });
    try {
      const targets: [Target, Target] = [
        ours,
        { name: 'plain', url: `${bare.url}/runs`, headers: {} },
      ];
      await completeRun(temporal, targets[1], key);
      await servers.stopWorkers();
      const replay: HttpCase = { what: 'a replay', key, input: INPUT, status: 202 };
      const cases: HttpCase[] = [
        { what: 'a new start', key: undefined, input: INPUT, status: 202 },
        replay,
        { what: 'a key with another body', key, input: `${INPUT} `, status: 422 },
      ];
      const rows = await measureHttp(servers, targets, cases, options, tell);
      const memory = await measureReplays(service, targets[0], replay, options, tell);
      return { rows, memory };
    } finally {
      await bare.stop();
    }
  } finally {
    await service.stop();
  }
}

/** A key as an operator makes it. */
async function createApiKey(env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['bin/agent-once.js', 'api-keys', 'create', 'default', '--scope', 'start', '--json'],
    { cwd: PROJECT_ROOT, env },
  );
  return (JSON.parse(stdout) as { key: string }).key;
}

/** The run that is replayed: it has ended, and its result is in Temporal. Resolves with its ID. */
async function completeRun(
  temporal: Client,
  { url, headers }: Target,
  key: string,
): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': `"${key}"`, ...headers },
    body: JSON.stringify({ input: INPUT }),
  });
  const body = (await response.json()) as { id: string };
  if (response.status !== 202) throw new Error(`${url}: ${JSON.stringify(body)}`);
  await temporal.workflow.getHandle(body.id).result();
  return body.id;
}
