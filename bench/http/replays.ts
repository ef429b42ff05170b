import { sendMany, type HttpCase, type Target } from './load.ts';
import type { MeasuredProcess, Memory } from '../process.ts';

/** Bytes after so many replays and a full garbage collection. */
export interface MemorySample extends Memory {
  replays: number;
}

const SAMPLES = 10;

/** Replays one key over and over, and looks at intervals what the service holds. */
export async function measureReplays(
  service: MeasuredProcess,
  target: Target,
  replay: HttpCase,
  { replays, connections }: { replays: number; connections: number },
  tell: (line: string) => void,
): Promise<MemorySample[]> {
  if (replays === 0) return [];
  const samples: MemorySample[] = [{ replays: 0, ...(await service.memory()) }];
  for (let part = 1, done = 0; part <= SAMPLES; part += 1) {
    const until = Math.round((replays * part) / SAMPLES);
    if (until === done) continue;
    tell(`HTTP: replays ${done} to ${until} of ${replays} …`);
    await sendMany(target, replay, { amount: until - done, connections });
    done = until;
    samples.push({ replays: done, ...(await service.memory()) });
  }
  return samples;
}

/** Bytes that a replay leaves behind, by a straight line through the samples (least squares). */
export function slopeOf(samples: readonly MemorySample[], of: keyof Memory): number {
  const mean = (values: number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(samples.map(({ replays }) => replays));
  const y = mean(samples.map((sample) => sample[of]));
  let upper = 0;
  let lower = 0;
  for (const sample of samples) {
    upper += (sample.replays - x) * (sample[of] - y);
    lower += (sample.replays - x) ** 2;
  }
  return upper / lower;
}
