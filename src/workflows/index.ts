/** The engine's workflows. Adding an agent or a tool changes nothing here. */
export { agentRun } from './agent-run.ts';
export { ledgerCleanup } from './ledger-cleanup.ts';
