import type { Memory } from './process.ts';

/** What a measured process says to the one that measures; it ends with that one. */
export function answerParent(): { ready(url: string): void; leave(): void } {
  const orphaned = (): never => process.exit(1);
  process.on('disconnect', orphaned);
  process.on('message', () => process.send?.(readMemory()));
  return {
    ready: (url) => void process.send?.({ url }),
    leave: () => {
      process.off('disconnect', orphaned);
      process.disconnect?.();
    },
  };
}

/** After a full collection, so that only what is held counts. */
function readMemory(): Memory {
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  return { heapUsed, rss };
}
