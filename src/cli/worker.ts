import { Option, type Command } from 'commander';
import { defined } from '../contract/defined.ts';
import type { Part } from '../worker/create-workers.ts';
import type { App } from './app.ts';
import { parsePort } from './options.ts';
import { say } from './output.ts';
import { reportError } from './report-error.ts';

interface WorkerFlags {
  only?: Part;
  healthPort?: number;
  shadowOnly?: true;
}

/** Who tells a worker of cancellations; see docs/operations.md. */
const TOLD_BY = {
  server: 'by the server, at once',
  ledger: 'by the ledger, within a second',
  heartbeat: 'by heartbeats',
};

/** `agent-once worker`: runs workflows, model calls and tools until it is told to stop. */
export function registerWorker(program: Command, app: App): void {
  program
    .command('worker')
    .description('run workflows, model calls and tools')
    .addOption(
      new Option('--only <part>', 'only one part of a deployment with split task queues').choices([
        'model',
        'tools',
        'workflows',
      ]),
    )
    .option(
      '--health-port <port>',
      'answer GET /livez and /readyz on this port (0: any free one)',
      parsePort,
    )
    .option(
      '--shadow-only',
      'execute no effect: a run that is not a shadow run fails at its first step',
    )
    .addHelpText(
      'after',
      `
Stops gracefully on SIGTERM or Ctrl-C: takes no new work and gives steps under way ten seconds;
what is not done by then is taken over by another worker. A second signal ends it at once.

Ends by itself, and says why, with exit code 9 where it can take no more work from Temporal, 10
where the ledger has refused it for AGENT_ONCE_REFUSED_LIMIT (60s), or lacked what runs have
recorded, 11 where code of a tool threw and nobody knows in which step. Have it started again, as a
container or a service is.

Examples:
  $ agent-once worker
  $ agent-once worker --shadow-only
  $ AGENT_ONCE_SPLIT_TASK_QUEUES=on agent-once worker --only model --health-port 8081`,
    )
    .action(async (flags: WorkerFlags) => {
      const [{ readConfig }, agents, activities, { runWorker }] = await Promise.all([
        import('../config.ts'),
        app.agents(),
        app.activities?.(),
        import('../worker/run-worker.ts'),
      ]);
      const ofFlags = {
        AGENT_ONCE_HEALTH_PORT: flags.healthPort?.toString(),
        AGENT_ONCE_SHADOW_ONLY: flags.shadowOnly && 'on',
      };
      const config = readConfig({ ...process.env, ...defined(ofFlags) });
      const { deployment } = config;
      const version = deployment && `, version ${deployment.deploymentName}:${deployment.buildId}`;
      const stopping = new AbortController();
      const stop = () => {
        if (stopping.signal.aborted) process.exit(1);
        stopping.abort();
      };
      process.on('SIGTERM', stop).on('SIGINT', stop);
      try {
        await runWorker(config, {
          models: app.models,
          agents,
          activities,
          folder: app.folder,
          signal: stopping.signal,
          extend: app.extras.flatMap(({ worker }) => worker ?? []),
          runtime: [
            ...app.extras.flatMap(({ log }) => log?.runtime ?? []),
            ...app.extras.flatMap(({ runtime }) => runtime ?? []),
          ],
          only: flags.only,
          onReady: ({ address, namespace, taskQueues, cancellation }) => {
            say(
              `Worker ${process.pid} is ready: ${address}, namespace ${namespace}, task queue ${taskQueues.join(', ')}${version ?? ''}${config.shadowOnly ? ', shadow runs only' : ''}. It hears of cancellations ${TOLD_BY[cancellation]}.`,
            );
          },
        });
      } catch (error) {
        // What has failed may hold the process: it would live on, deaf and without work.
        process.exit(reportError(error, []));
      }
    });
}
