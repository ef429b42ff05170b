import { app as composed } from '../../src/app/compose.ts';
import { registryDefaults } from '../../src/define/registry-defaults.ts';
import { createRegistry } from '../../src/define/registry.ts';
import { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import { connect } from '../../src/client/connect.ts';
import { readConfig } from '../../src/config.ts';
import { createBackend } from './app.ts';

// With `npm run dev` in another terminal: node --import ./bin/register-typescript.js examples/backend/server.ts
const config = readConfig();
const { searchAttributes, hashKeys, splitTaskQueues } = config;
const connection = await connect();
const client = new AgentOnceClient({
  temporal: connection.temporal,
  registry: createRegistry(await composed.agents(), registryDefaults(config)),
  searchAttributes,
  hashKeys,
  splitTaskQueues,
});

const app = createBackend(client);
app.addHook('onClose', () => connection.close());
process.stdout.write(`Backend: ${await app.listen({ host: '127.0.0.1', port: 3000 })}/requests\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close());
