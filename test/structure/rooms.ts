/**
 * The rooms of `src/` and which others each may import, as `docs/architecture.md` tells it. Written
 * out here and not read from the linter's settings, so that a mistake there is seen.
 */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  workflows: ['contract'],
  ledger: ['contract'],
  model: ['contract'],
  tools: ['contract'],
  agents: ['contract', 'tools'],
  define: ['contract', 'tools'],
  activities: ['contract', 'ledger', 'model', 'tools', 'agents'],
  client: ['contract'],
  explain: ['contract', 'client', 'ledger'],
  idempotency: ['contract'],
  service: ['contract', 'client', 'agents', 'explain', 'ledger', 'idempotency'],
  cli: ['contract', 'client', 'agents', 'explain'],
  worker: ['contract', 'ledger', 'model', 'tools', 'agents', 'activities', 'workflows', 'client'],
  dev: [
    'contract',
    'ledger',
    'model',
    'tools',
    'agents',
    'define',
    'activities',
    'workflows',
    'client',
    'explain',
    'idempotency',
    'service',
    'worker',
  ],
};
