import { NET_MS } from './nets.ts';

/**
 * Waits for a promise; where nothing comes of it, the error says what did not come.
 *
 * @param what as in "Waited in vain until …"
 */
export async function within<T>(
  promise: Promise<T>,
  what: () => string,
  netMs = NET_MS,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const net = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Waited ${netMs / 1_000} s in vain until ${what()}`)),
      netMs,
    );
  });
  try {
    return await Promise.race([promise, net]);
  } finally {
    clearTimeout(timer);
  }
}
