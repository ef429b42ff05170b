import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClientPlugin } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import type { BundlerPlugin, WorkerOptions, WorkerPlugin } from '@temporalio/worker';
import { createCodec } from './codec.ts';
import type { Keys } from './keys.ts';

/** See `workflow-failures.ts`. */
const MARK = 'globalThis.encodeFailures = true; ';
const FAILURES = path.join(import.meta.dirname, 'failure-converter.cjs');
const OF_WORKFLOWS = `workflow-failures${path.extname(fileURLToPath(import.meta.url))}`;

/**
 * Gives clients and workers of Temporal's library the codec. With a first key, workers make payloads of the
 * messages and stacks of failures too; clients make no failures.
 */
export function encryptPayloads(keys: Keys): ClientPlugin & WorkerPlugin & BundlerPlugin {
  const codec = createCodec(keys);
  const withCodec = (given: DataConverter | undefined): DataConverter => ({
    ...given,
    payloadCodecs: [...(given?.payloadCodecs ?? []), codec],
  });
  const forWorker = async <Options extends Pick<WorkerOptions, 'dataConverter' | 'workflowBundle'>>(
    options: Options,
  ): Promise<Options> => {
    const dataConverter = withCodec(options.dataConverter);
    if (!keys.first) return { ...options, dataConverter };
    const { workflowBundle } = options;
    const marked = workflowBundle && { workflowBundle: await mark(workflowBundle) };
    return {
      ...options,
      dataConverter: { failureConverterPath: FAILURES, ...dataConverter },
      ...marked,
    };
  };
  return {
    name: 'agent-once.encryption',
    configureClient: (options) => ({
      ...options,
      dataConverter: withCodec(options.dataConverter as DataConverter | undefined),
    }),
    // Made before anybody knows whether there are keys.
    configureBundler: (options) => ({
      ...options,
      failureConverterPath: path.join(import.meta.dirname, OF_WORKFLOWS),
    }),
    configureWorker: (options) => forWorker(options),
    configureReplayWorker: (options) => forWorker(options),
  };
}

/** Without a new line: places in the code stay where its source map has them. */
async function mark(
  bundle: NonNullable<WorkerOptions['workflowBundle']>,
): Promise<NonNullable<WorkerOptions['workflowBundle']>> {
  const code = 'code' in bundle ? bundle.code : await readFile(bundle.codePath, 'utf8');
  return { code: MARK + code };
}
