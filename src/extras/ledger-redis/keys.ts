/**
 * Names of keys. All of one scope are in one slot of a cluster, since a script touches several; a
 * share is of no scope. None has a time to live while its scope is in use.
 */
export const keys = {
  /** Version of the layout. */
  format: 'agent_once:format',
  /** Hash: who the ledger is. */
  identity: 'agent_once:ledger',
  /** Hash of the namespaces whose runs use the ledger: names by ID. */
  homes: 'agent_once:homes',
  /** Sorted set of the scope's steps, by turn. */
  index: (scope: string) => `agent_once:{${scope}}:steps`,
  /** Hash. */
  step: (scope: string, step: string) => `${stepPrefix(scope)}${step}`,
  /** What every step's key begins with. */
  stepPrefix,
  /** Hash of JSON. */
  questions: (scope: string) => `agent_once:{${scope}}:questions`,
  /** Sorted set of keys of the shares that steps of the scope have taken, by time. */
  shares: (scope: string) => `agent_once:{${scope}}:shares`,
  /** There when the scope is retired; holds since when, or `provisional`: cleaning may take it back. */
  retired: (scope: string) => `agent_once:{${scope}}:retired`,
  /** Hash. */
  share: (name: string) => `agent_once:{share:${name}}`,
};

function stepPrefix(scope: string): string {
  return `agent_once:{${scope}}:step:`;
}
