import { startScriptedModel } from '../src/extras/dev/scripted-model/server.ts';

// The scripted model in a process of its own.
const model = await startScriptedModel();
process.stdout.write(`Scripted model: ${model.url}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void model.stop());
