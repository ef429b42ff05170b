/**
 * A response that an endpoint makes in the background: found again by its ID, whoever asks, so that
 * a worker that dies meanwhile costs nothing.
 */
export interface PendingResponse {
  /** The endpoint's name among the run's models. */
  endpoint: string;
  /** Scheme, host and port: a name may come to mean another server. */
  origin: string;
  /** The model that was asked. */
  model: string;
  responseId: string;
  /** See `StepRecord.round`: a response answers the request of one round. */
  round: number;
  /** ISO 8601 time of the worker's clock: when the endpoint gave the ID. */
  at: string;
}

/** How far a model step has come that has no answer yet; kept in its row. */
export interface Asking {
  /** The name of the model, among the run's, that the next attempt asks. */
  endpoint: string;
  /** Temporal's run ID: a run that is resumed asks the first one again. */
  runId: string;
  /** Refusals for want of capacity, one after the other. */
  overloads: number;
  /** An attempt that finds it asks for it, and not anew. */
  pending?: PendingResponse;
}
