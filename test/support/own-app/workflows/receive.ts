import {
  condition,
  defineSignal,
  executeChild,
  setHandler,
  setWorkflowOptions,
} from '@temporalio/workflow';
import { greet } from './greet.ts';

/** Waits for the guest, and has them greeted by a child. */
export async function receive(name: string): Promise<string> {
  let isHere = false;
  setHandler(defineSignal('arrived'), () => {
    isHere = true;
  });
  await condition(() => isHere);
  return executeChild(greet, { args: [name, 0] });
}

/** The same, by whatever version of the workers takes new runs. */
export function receiveAnywhere(name: string): Promise<string> {
  return receive(name);
}
setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, receiveAnywhere);
