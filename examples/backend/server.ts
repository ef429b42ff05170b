import { app as composed } from '../../src/app/compose.ts';
import { createClient } from '../../src/index.ts';
import { createBackend } from './app.ts';

// With `npm run dev` in another terminal: node --import ./bin/register-typescript.js examples/backend/server.ts
const client = await createClient({
  agents: await composed.agents(),
  extras: composed.extras,
});

const app = createBackend(client);
app.addHook('onClose', () => client.close());
process.stdout.write(`Backend: ${await app.listen({ host: '127.0.0.1', port: 3000 })}/requests\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close());
