import { defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import { GRPC } from './temporal-errors.ts';

/**
 * Tries again as Temporal's client does. Where a limit of the server has used up the time of a
 * request, that is its end: Temporal's client would say that nobody answers.
 *
 * @param maxAttempts of each request; `undefined`: as many as Temporal's client makes
 */
export function retryAndTellLimits(
  maxAttempts: number | undefined,
): ReturnType<typeof makeGrpcRetryInterceptor> {
  const { retryableDecider, ...retry } = defaultGrpcRetryOptions(
    maxAttempts === undefined ? {} : { maxAttempts },
  );
  return (options, nextCall) => {
    let limit: string | undefined;
    const interceptor = makeGrpcRetryInterceptor({
      ...retry,
      retryableDecider(attempt, status) {
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
    return interceptor(options, nextCall);
  };
}
