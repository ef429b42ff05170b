import type { Command } from 'commander';
import { addRunCommand, runOf, type RunFlags } from '../../cli/options.ts';
import { print, printJson } from '../../cli/output.ts';
import { workflowIdOf } from '../../contract/key.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { telemetryId } from './telemetry-id.ts';

/** `agent-once key-hash`: what a key is called in logs. */
export function registerKeyHash(program: Command): void {
  addRunCommand(program, 'key-hash', {
    summary: 'show what a key is called in logs',
    description:
      'Shows the keyHash of a run: what logs say instead of its key. It is made of the names alone, and nothing is asked; AGENT_ONCE_TELEMETRY_KEY and AGENT_ONCE_HASH_KEYS must be those of the workers.',
    help: `
Examples:
  $ agent-once key-hash support order-1042-refund
  $ kubectl logs -l app.kubernetes.io/name=agent-once | grep "$(agent-once key-hash support order-1042-refund)"`,
  }).action(async (agent: string, key: string, flags: RunFlags) => {
    const { telemetryKey, hashKeys } = (await import('../../config.ts')).readConfig();
    if (telemetryKey === undefined) {
      throw new AgentOnceError(
        'config.invalid',
        'AGENT_ONCE_TELEMETRY_KEY is not set: logs say nothing of keys. Look for the run ID, which agent-once status --json shows, as "run".',
      );
    }
    const keyHash = telemetryId(telemetryKey, workflowIdOf(runOf(agent, key, flags), hashKeys));
    if (flags.json) printJson({ keyHash });
    else print(keyHash);
  });
}
