/** Everything that Temporal's sandbox runs: the engine's workflows, and below them your own. */
export * from '../../../../workflows/index.ts';
