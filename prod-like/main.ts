/** `npm run prod-like`: what docker-compose.yml says, without containers, on Temporal's own server. */
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { optionsOrExit, parsed, printReport, SCRIPT_OPTIONS } from '../chaos/script-options.ts';
import { startShop } from '../examples/shop/server.ts';
import { drawReport, type Finding } from '../src/extras/demo/report.ts';
import { findFreePort } from '../src/extras/dev/ports.ts';
import { startScriptedModel } from '../src/extras/dev/scripted-model/server.ts';
import { killEach } from './kill-parts.ts';
import { playDemo } from './scenario.ts';
import type { Scene } from './scene.ts';
import { startSystem } from './start-system.ts';

const USAGE = `npm run prod-like -- [options]

Starts what docker-compose.yml says as processes of this machine, with workers of split task queues
and two services, until Ctrl-C. See prod-like/README.md.

  --demo   plays what \`npm run demo\` plays, kills every process while it does, and ends
  --json   one JSON document on stdout, the report on stderr

Exit codes: 0 everything is as promised, 1 it is not, 2 an option is wrong.
`;

const { demo, json } = optionsOrExit((args) => {
  const options = { demo: { type: 'boolean', default: false }, ...SCRIPT_OPTIONS } as const;
  const { values } = parsed(() => parseArgs({ args: [...args], options }));
  return values.help ? 'help' : values;
}, USAGE);

const began = Date.now();
const tell = (line: string): void => {
  const seconds = ((Date.now() - began) / 1_000).toFixed(1).padStart(6);
  process.stderr.write(`${seconds} s  ${line}\n`);
};
const interrupted = new Promise<void>((resolve) => {
  process.once('SIGINT', () => resolve()).once('SIGTERM', () => resolve());
});

const stops: (() => Promise<unknown>)[] = [];
try {
  // As soon as it is asked to; what has been started is stopped below.
  await Promise.race([run(), interrupted]);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  for (const stop of stops.toReversed()) await stop();
}
process.exit();

async function run(): Promise<void> {
  const model = await startScriptedModel();
  stops.push(() => model.stop());
  const shopPort = await findFreePort();
  const system = await startSystem({
    variables: { OPENAI_API_KEY: 'scripted-model', OPENAI_BASE_URL: model.url },
    workers: { SHOP_URL: `http://127.0.0.1:${shopPort}` },
    ...(demo ? { firstTools: { AGENT_ONCE_FAULT: 'after-effect:issue_refund' } } : {}),
    stops,
    tell,
  });
  const shop = await startShop({ port: shopPort, databaseUrl: system.ledgerUrl });
  stops.push(() => shop.stop());
  const apiKey = (await system.agentOnce('api-keys', 'create', 'default')).trim();
  if (!demo) {
    tell(`Everything is up, until Ctrl-C:
  export TEMPORAL_ADDRESS=${system.temporal} LEDGER_URL=${system.ledgerUrl} AGENT_ONCE_SPLIT_TASK_QUEUES=on
  services ${system.services.join(' and ')}, with the API key ${apiKey}`);
    return interrupted;
  }
  const connection = await Connection.connect({ address: system.temporal });
  stops.push(() => connection.close());
  const temporal = new Client({ connection });
  const scene: Scene = { system, temporal, shop: shop.url, model: model.url, apiKey, tell };
  const findings = await playDemo(scene);
  const killed = await killEach(scene);
  const kept = [...findings, ...killed].every((finding) => finding.kept);
  printReport({ kept, findings, killed }, draw(findings, killed, kept), json);
  process.exitCode = kept ? 0 : 1;
}

function draw(findings: Finding[], killed: Finding[], kept: boolean): string {
  return `
${drawReport(findings)}

Then each process again, one after the other, while runs are at work:
${drawReport(killed)}

${kept ? 'Everything is as promised.' : 'NOT as promised: see the lines marked ✗.'}`;
}
