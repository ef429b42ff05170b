import { parseArgs } from 'node:util';
import { startScriptedModel } from './server.ts';

// The scripted model alone: node --import ./bin/register-typescript.js src/extras/dev/scripted-model/main.ts --port 8080 --delay 500
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    delay: { type: 'string', default: '0' },
  },
});
const model = await startScriptedModel({
  port: Number(values.port),
  delayMs: Number(values.delay),
});
process.stdout.write(`Scripted model: ${model.url}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void model.stop());
