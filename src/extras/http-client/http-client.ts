import type { ResumeLimits } from '../../contract/run.ts';
import { followEvents } from './follow-events.ts';
import { parseBaseUrl } from './prepare.ts';
import { send } from './send.ts';
import type {
  HttpClientOptions,
  HttpRun,
  HttpStartedRun,
  HttpStartRequest,
  RunEvent,
} from './types.ts';

/** What one answer is asked to wait for an end, in seconds: proxies cut longer silences. */
const WAIT_SECONDS = 25;

/**
 * A client of the HTTP service, for backends that have no Temporal client. It sends with `fetch`,
 * has one dependency, `eventsource-parser` for server-sent events, and takes nothing of this
 * repository but types. Copy the folder, or import it.
 */
export class AgentOnceHttpClient {
  readonly #options: HttpClientOptions;

  /** @throws {InvalidRequestError} `baseUrl` is none */
  constructor(options: HttpClientOptions) {
    parseBaseUrl(options.baseUrl);
    this.#options = options;
  }

  /**
   * Starts a run, or finds the one that the key names. All tries of a call carry one key.
   *
   * @throws {InvalidRequestError} the key or the input cannot be sent: nothing was
   * @throws {KeyConflictError} the key names another request
   * @throws {HttpServiceError} the service refused
   * @throws {NoAnswerError} no answer in all tries; its `key` finds out
   */
  async start(request: HttpStartRequest): Promise<HttpStartedRun> {
    const { agent, key = crypto.randomUUID(), waitSeconds, signal, ...rest } = request;
    const { input, options, limits } = rest;
    const call = {
      method: 'POST' as const,
      path: `/v1/agents/${encodeURIComponent(agent)}/runs`,
      key,
      body: { input, options, limits },
      ...(waitSeconds === undefined
        ? {}
        : { waitSeconds, headers: { prefer: `wait=${waitSeconds}` } }),
      signal,
    };
    return send(this.#options, call, readStarted);
  }

  /**
   * Goes on with a run that failed or was cancelled: what is recorded is not repeated. One that is
   * under way or has completed is answered as it stands, as `replayed`.
   *
   * @throws {HttpServiceError} `run.not_found`; `run.expired`, `run.request_unknown`: it cannot be
   *   resumed, and nothing was started
   */
  async resume(
    id: string,
    { limits, signal }: { limits?: ResumeLimits; signal?: AbortSignal } = {},
  ): Promise<HttpStartedRun> {
    const call = {
      method: 'POST' as const,
      path: `${pathOf(id)}/resume`,
      body: { limits },
      signal,
    };
    return send(this.#options, call, readStarted);
  }

  /** @throws {HttpServiceError} `run.not_found` */
  async get(id: string, signal?: AbortSignal): Promise<HttpRun> {
    return this.#run('GET', '', id, signal);
  }

  /**
   * Waits until the run has ended, or waits for a person. Ends with the signal's reason.
   *
   * @throws {HttpServiceError} `run.not_found`
   */
  async wait(id: string, signal?: AbortSignal): Promise<HttpRun> {
    for (;;) {
      const call = {
        method: 'GET' as const,
        path: pathOf(id),
        headers: { prefer: `wait=${WAIT_SECONDS}` },
        waitSeconds: WAIT_SECONDS,
        signal,
      };
      const run = await send(this.#options, call, readRun);
      if (run.closedAt !== null || run.status === 'waiting') return run;
    }
  }

  /**
   * What happens in a run, from its beginning or after an event, until its end. A connection that
   * breaks is made again, and goes on where it broke; an event may come twice.
   */
  events(
    id: string,
    options: { lastEventId?: string; signal?: AbortSignal } = {},
  ): AsyncGenerator<RunEvent, void, undefined> {
    return followEvents(this.#options, `${pathOf(id)}/events`, options);
  }

  /** Asks a run to stop; one that has ended stays as it is. */
  async cancel(id: string, signal?: AbortSignal): Promise<HttpRun> {
    return this.#run('POST', '/cancel', id, signal);
  }

  async #run(
    method: 'GET' | 'POST',
    what: string,
    id: string,
    signal: AbortSignal | undefined,
  ): Promise<HttpRun> {
    const path = `${pathOf(id)}${what}`;
    return send(this.#options, { method, path, signal }, readRun);
  }
}

async function readStarted(response: Response): Promise<HttpStartedRun> {
  const replayed = response.headers.get('idempotent-replayed') === 'true';
  return { ...(await readRun(response)), replayed };
}

async function readRun(response: Response): Promise<HttpRun> {
  return (await response.json()) as HttpRun;
}

function pathOf(id: string): string {
  return `/v1/runs/${encodeURIComponent(id)}`;
}
