import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { AgentOnceClient } from '../src/client/agent-once-client.ts';
import { startServiceProcess } from '../src/extras/dev/app-processes.ts';
import { stackEnvironment } from '../src/extras/dev/stack-environment.ts';
import type { Stack } from '../src/extras/dev/stack.ts';
import { openBrowser } from '../test/support/browser/open-browser.ts';

/** The refund of an order that must be approved: more than the example's agent may spend alone. */
const ORDERS = [1041, 1044, 1045];
const WAIT_MS = 60_000;

/** Takes the pictures of the operator's page: three refunds wait, and the story of one of them. */
export async function takeOperatorPage(
  stack: Stack,
  client: AgentOnceClient,
  folder: string,
  tell: (line: string) => void,
): Promise<void> {
  const env = stackEnvironment(stack);
  const service = await startServiceProcess(0, { env, reload: false, log: tell, onLine: () => {} });
  const browser = await openBrowser();
  try {
    for (const order of ORDERS) {
      const input = `Refund 240 EUR of order ${order}`;
      await client.start({ agent: 'support', key: `order-${order}-refund`, input });
    }
    const { url } = await service.told;
    const page = await browser.newPage({ viewport: { width: 1100, height: 420 }, locale: 'en-US' });
    await page.goto(`${url}/app/inbox`);
    // Temporal's list lags behind; the page reads it again by itself.
    const rows = page.getByRole('row');
    await rows.nth(ORDERS.length).waitFor({ timeout: WAIT_MS });
    const take = async (name: string): Promise<void> => {
      const file = path.join(folder, `${name}.png`);
      await writeFile(file, await page.screenshot({ fullPage: true }));
      tell(`wrote ${file}`);
    };
    await take('inbox');
    await rows.nth(1).getByRole('link').last().click();
    await page.locator('.question').waitFor({ timeout: WAIT_MS });
    await take('story');
  } finally {
    await browser.close();
    await service.stop();
  }
}
