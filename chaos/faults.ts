import { FAULT_POINTS, type FaultPoint } from '../src/activities/faults.ts';
import type { Random } from './random.ts';

const SERVERS = ['postgres', 'temporal'] as const;
export type Server = (typeof SERVERS)[number];

/**
 * What is done to the system, as people write it:
 * `kill` (SIGKILL of a worker, at any moment), `after-effect:charge` (SIGKILL of a worker at that
 * point), `zombie:note` (a worker is stopped in that tool, and continued when somebody else's result is
 * recorded), `overlap:note` (continued as soon as somebody else has the claim), `cut:postgres` (a worker's connections break), `silence:postgres` (its requests arrive, and no
 * answer comes back), `delay:temporal`, `restart:postgres` (SIGKILL, and started again).
 */
export type Fault =
  | { kind: 'kill' }
  | { kind: 'point'; point: FaultPoint; step: string }
  | { kind: 'zombie' | 'overlap'; tool: string }
  | { kind: 'cut' | 'silence' | 'delay' | 'restart'; server: Server };

/** @throws {RangeError} for what is no fault */
export function parseFault(text: string): Fault {
  const [kind = '', of = ''] = text.split(':');
  if (text === 'kill') return { kind: 'kill' };
  if ((kind === 'zombie' || kind === 'overlap') && of !== '') return { kind, tool: of };
  const point = FAULT_POINTS.find((name) => name === kind);
  if (point !== undefined && of !== '') return { kind: 'point', point, step: of };
  const server = SERVERS.find((name) => name === of);
  if (server !== undefined) {
    if (kind === 'cut' || kind === 'silence' || kind === 'delay' || kind === 'restart') {
      return { kind, server };
    }
  }
  throw new RangeError(
    `"${text}" is no fault. They are: kill, zombie:TOOL, overlap:TOOL, POINT:TOOL or POINT:model with a point of ${FAULT_POINTS.join(', ')}, and cut, silence, delay or restart with :postgres or :temporal.`,
  );
}

export function nameFault(fault: Fault): string {
  switch (fault.kind) {
    case 'kill':
      return 'kill';
    case 'point':
      return `${fault.point}:${fault.step}`;
    case 'zombie':
    case 'overlap':
      return `${fault.kind}:${fault.tool}`;
    default:
      return `${fault.kind}:${fault.server}`;
  }
}

/**
 * What is done, in order: `kills` times SIGKILL, half of them at fault points, each in turn; and
 * in proportion to them everything else. Reproducible by the seed; how it meets the system's own
 * timing is not.
 *
 * @param tools names of the tools
 */
export function planFaults(kills: number, tools: readonly string[], random: Random): Fault[] {
  const points = random.shuffle(
    FAULT_POINTS.flatMap((point) =>
      [...tools, 'model'].map((step): Fault => ({ kind: 'point', point, step })),
    ),
  );
  const victims = random.shuffle(tools);
  const faults: Fault[] = [];
  repeat(Math.ceil(kills / 2), (index) => faults.push(cycled(points, index)));
  repeat(Math.floor(kills / 2), () => faults.push({ kind: 'kill' }));
  if (kills === 0) return faults;

  repeat(Math.max(2, Math.round(kills / 8)), (index) =>
    faults.push({ kind: index % 2 === 0 ? 'zombie' : 'overlap', tool: cycled(victims, index) }),
  );
  const both = (kind: 'cut' | 'silence' | 'delay' | 'restart', times: number): void =>
    repeat(times, (index) => faults.push({ kind, server: cycled(SERVERS, index) }));
  both('cut', Math.max(2, Math.round(kills / 10)));
  both('silence', Math.max(1, Math.round(kills / 12)));
  both('delay', Math.max(1, Math.round(kills / 12)));
  both('restart', Math.max(2, Math.round(kills / 12)));
  return random.shuffle(faults);
}

function repeat(times: number, each: (index: number) => void): void {
  for (let index = 0; index < times; index += 1) each(index);
}

function cycled<T>(items: readonly T[], index: number): T {
  const item = items[index % items.length];
  if (item === undefined) throw new RangeError('Nothing to choose from');
  return item;
}
