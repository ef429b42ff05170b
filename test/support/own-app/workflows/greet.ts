import { proxyActivities } from '@temporalio/workflow';
import type { activities } from '../activities.ts';
import { greeting } from './words/greeting.ts';

const { spell } = proxyActivities<typeof activities>({
  startToCloseTimeout: '10 s',
  retry: { initialInterval: 10, maximumAttempts: 2 },
});

/** A workflow of the app's own. */
export async function greet(name: string, failures: number): Promise<string> {
  return greeting(await spell(name, failures));
}

/** Calls an activity that no worker has. */
export async function callMissing(): Promise<void> {
  const { missing } = proxyActivities<{ missing(): Promise<void> }>({
    startToCloseTimeout: '10 s',
    retry: { maximumAttempts: 1 },
  });
  await missing();
}
