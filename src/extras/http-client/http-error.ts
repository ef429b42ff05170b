/** Problem details (RFC 9457) of the service. */
export interface ProblemDetails {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
}

/** Thrown before anything is sent: a request or an option that no service could understand. */
export class InvalidRequestError extends Error {
  override readonly name = 'InvalidRequestError';
}

/** Thrown when the service answered, and not with a success. `code` is stable. */
export class HttpServiceError extends Error {
  override readonly name = 'HttpServiceError';
  readonly status: number;
  readonly code: string;
  readonly problem: ProblemDetails | undefined;
  /** Of a start: the key that all tries carried. After 5xx the run may have been started. */
  readonly key: string | undefined;

  constructor(status: number, problem: ProblemDetails | undefined, key: string | undefined) {
    super(problem?.detail ?? `The service answered with status ${status}.`);
    this.status = status;
    this.code = problem?.code ?? `http.${status}`;
    this.problem = problem;
    this.key = key;
  }
}

/** Thrown when the key already names another request: a new request needs a new key. */
export class KeyConflictError extends HttpServiceError {}

/**
 * Thrown when no whole answer came in all tries. Whether the request arrived is not known: repeat it with
 * `key`, and it is the same request.
 */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  /** Of a start: the key that all tries carried. */
  readonly key: string | undefined;

  constructor(attempts: number, key: string | undefined, cause: unknown) {
    const again = key === undefined ? '' : ` Repeat it with the key ${key}.`;
    super(`No answer came in ${attempts} tries.${again}`, { cause });
    this.key = key;
  }
}
