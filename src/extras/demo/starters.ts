import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { StartRequest } from '../../client/types.ts';
import { PROJECT_ROOT } from '../dev/paths.ts';

export interface StartOrder {
  request: StartRequest;
  times: number;
}

export type StartAnswer =
  { workflowId: string; runId: string; replayed: boolean } | { error: string };

const STARTER = path.join(PROJECT_ROOT, 'src/extras/demo/starter.ts');
const LOADER = pathToFileURL(path.join(PROJECT_ROOT, 'bin/register-typescript.js')).href;

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
    fork(STARTER, [], { execArgv: ['--import', LOADER], env }),
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
