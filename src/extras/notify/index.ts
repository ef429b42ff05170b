import type { Extra } from '../../cli/app.ts';
import type { Receiver, Send } from './receiver.ts';
import { readNotifyEvery } from './settings.ts';

export { email, type Mail } from './email.ts';
export type { Notice } from './notice.ts';
export type { Receiver } from './receiver.ts';
export { slack, slackText } from './slack.ts';
export { webhook } from './webhook.ts';

interface WorkerFlags {
  only?: string;
  shadowOnly?: true;
}

/**
 * Tells somebody that a run waits for a person or has failed: docs/notices.md. Workers do it, beside
 * their work; a run knows nothing of it.
 */
export function notify(receivers: readonly Receiver[]): Extra {
  const stopping = new AbortController();
  let telling: Promise<void> | undefined;
  let begin: (() => Promise<void>) | undefined;
  return {
    name: 'notify',
    // A worker that cannot start must end, and not live on to tell: it is asked for its parts late.
    worker: (parts) => {
      telling = begin?.();
      begin = undefined;
      return parts;
    },
    commands: (program) => {
      program.hook('preAction', async (_program, command) => {
        if (command.name() !== 'worker' || command.parent !== program) return;
        const { only, shadowOnly } = command.opts<WorkerFlags>();
        // One kind of process is enough, and it must be one that has the ledger.
        if (shadowOnly || only === 'workflows' || only === 'model') return;
        const senders = await openAll(receivers);
        if (senders.size === 0) return;
        const everyMs = readNotifyEvery();
        const [{ readConfig }, { notifyUntil }] = await Promise.all([
          import('../../config.ts'),
          import('./notifier.ts'),
        ]);
        const config = readConfig();
        if (config.shadowOnly) return;
        begin = () => notifyUntil(stopping.signal, config, senders, everyMs);
      });
      program.hook('postAction', async () => {
        stopping.abort();
        await telling;
      });
    },
  };
}

/** @throws {AgentOnceError} `config.invalid` */
async function openAll(receivers: readonly Receiver[]): Promise<Map<string, Send>> {
  const senders = new Map<string, Send>();
  for (const { name, open } of receivers) {
    const send = await open();
    if (send) senders.set(name, send);
  }
  return senders;
}
