import { defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';

/** Status codes of gRPC. */
const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;

type Interceptor = ReturnType<typeof makeGrpcRetryInterceptor>;

/**
 * Tries again as Temporal's client does. Where a limit of the server has used up the time of a
 * request, that is its end: Temporal's client would say that nobody answers.
 *
 * @param retries see `BackoffOptions` of Temporal's client
 */
export function retryAndTellLimits(
  retries: Parameters<typeof defaultGrpcRetryOptions>[0] = {},
): Interceptor {
  const { retryableDecider, ...retry } = defaultGrpcRetryOptions(retries);
  return (options, nextCall) => {
    let limit: string | undefined;
    const interceptor = makeGrpcRetryInterceptor({
      ...retry,
      retryableDecider(attempt, status) {
        if (status.code === RESOURCE_EXHAUSTED) limit = status.details;
        if (status.code !== DEADLINE_EXCEEDED || limit === undefined) {
          return retryableDecider(attempt, status);
        }
        // In place: the retrying passes on the very status that it was given.
        status.code = RESOURCE_EXHAUSTED;
        status.details = limit;
        return false;
      },
    });
    return interceptor(options, nextCall);
  };
}
