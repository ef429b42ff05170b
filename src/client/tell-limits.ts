import { defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import { GRPC } from './temporal-errors.ts';

type Interceptor = ReturnType<typeof makeGrpcRetryInterceptor>;
type NextCall = Parameters<Interceptor>[1];

/**
 * Tries again as Temporal's client does, with two differences. Where a limit of the server has used up
 * the time of a request, that is its end: Temporal's client would say that nobody answers. And a request
 * that was cancelled ends: Temporal's client cancels the first try alone, and goes on with those after it.
 *
 * @param maxAttempts of each request; `undefined`: as many as Temporal's client makes
 */
export function retryAndTellLimits(maxAttempts: number | undefined): Interceptor {
  const { retryableDecider, ...retry } = defaultGrpcRetryOptions(
    maxAttempts === undefined ? {} : { maxAttempts },
  );
  return (options, nextCall) => {
    let limit: string | undefined;
    const tries = new Tries(nextCall);
    const interceptor = makeGrpcRetryInterceptor({
      ...retry,
      retryableDecider(attempt, status) {
        if (tries.cancelled) return false;
        if (status.code === GRPC.RESOURCE_EXHAUSTED) limit = status.details;
        if (status.code !== GRPC.DEADLINE_EXCEEDED || limit === undefined) {
          return retryableDecider(attempt, status);
        }
        // In place: the retrying passes on the very status that it was given.
        status.code = GRPC.RESOURCE_EXHAUSTED;
        status.details = limit;
        return false;
      },
    });
    return tries.cancelledWith(interceptor(options, tries.begin));
  };
}

/** The tries of one request: cancelled with it, whichever is under way, and none is sent after that. */
class Tries {
  cancelled = false;
  readonly #nextCall: NextCall;
  #last: ReturnType<NextCall> | undefined;

  constructor(nextCall: NextCall) {
    this.#nextCall = nextCall;
  }

  readonly begin: NextCall = (options) => {
    const call = this.#nextCall(options);
    this.#last = call;
    // One that was planned before: it has to be started first, and is not sent yet then.
    if (this.cancelled)
      queueMicrotask(() => this.#cancel(GRPC.CANCELLED, 'Cancelled by its caller.'));
    return call;
  };

  cancelledWith(request: ReturnType<Interceptor>): ReturnType<Interceptor> {
    const cancel = request.cancelWithStatus.bind(request);
    request.cancelWithStatus = (status, details) => {
      this.cancelled = true;
      this.#cancel(status, details);
      cancel(status, details);
    };
    return request;
  }

  #cancel(status: number, details: string): void {
    this.#last?.cancelWithStatus(status, details);
  }
}
