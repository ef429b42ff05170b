/** A scope, and executions that are known to have worked in it. */
export interface ScopeRuns {
  scope: string;
  executions: readonly { workflowId: string; runId: string }[];
}

/** How Temporal still has a scope: a run is under way, or only closed ones are retained. */
export type Retained = 'running' | 'closed';

/** What cleaning asks Temporal. */
export interface RetainedRuns {
  /** The namespace whose runs are asked about. */
  home: { id: string; name: string };

  /** For how long the namespace keeps closed runs, in milliseconds, as it is set now. */
  retentionMs(): Promise<number>;

  /**
   * The scopes of which Temporal still has an execution, in whatever state: resets, resumes and
   * continue-as-new are found too. Never guesses: what cannot be found out is thrown.
   */
  find(scopes: readonly ScopeRuns[]): Promise<Map<string, Retained>>;
}
