import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { StartRequest } from '../../client/types.ts';
import { PROJECT_ROOT } from '../dev/paths.ts';

export interface StartOrder {
  request: StartRequest;
  times: number;
}

export type StartAnswer =
  { workflowId: string; runId: string; replayed: boolean } | { error: string };

const PROGRAM = path.join(PROJECT_ROOT, 'bin/agent-once.js');
/** The command of such a process: as a command it has the app's extras, and so encrypts what they do. */
export const STARTER = 'demo-starter';

/**
 * Sends one request many times at once, from several processes: each connects first, so that they
 * really meet.
 */
export async function startAtOnce(
  request: StartRequest,
  { processes, times }: { processes: number; times: number },
  env: NodeJS.ProcessEnv,
): Promise<StartAnswer[]> {
  const children = Array.from({ length: processes }, () =>
    fork(PROGRAM, [STARTER], { execArgv: [], env }),
  );
  try {
    await Promise.all(children.map((child) => once(child, 'message')));
    const answers = children.map(async (child) => {
      const [answer] = (await once(child, 'message')) as [StartAnswer[]];
      return answer;
    });
    for (const child of children) child.send({ request, times } satisfies StartOrder);
    return (await Promise.all(answers)).flat();
  } finally {
    // They end by themselves once they have answered; this is for the ones that did not.
    for (const child of children) child.kill('SIGKILL');
  }
}
