import type { BatchTally } from './batch-tally.ts';
import { START_A_WORKER } from '../../cli/commands.ts';
import { coloursOf, say } from '../../cli/output.ts';
import { drawDuration, drawSpent } from '../../cli/show-run.ts';

const BAR = 24;
const DRAW_EVERY_MS = 200;
/** So long without the end of a run is worth a look whether anybody works on them. */
const LOOK_AFTER_MS = 3_000;

export interface BatchProgress {
  /** A line has ended. */
  show: () => void;
  /** Something that whoever waits should know. */
  say: (line: string) => void;
  end: () => void;
}

/** Shows how far a batch is: on a terminal a bar, else a line for each tenth of it. */
export function createBatchProgress(
  tally: BatchTally,
  hasWorker: () => Promise<boolean>,
): BatchProgress {
  const progress = process.stderr.isTTY ? createBar(tally) : createLines(tally);
  let last = Date.now();
  let told = false;
  const look = async (): Promise<void> => {
    if (told || Date.now() - last < LOOK_AFTER_MS || (await hasWorker()) || told) return;
    told = true;
    progress.say(`Nobody works on it: no worker is polling. ${START_A_WORKER}`);
  };
  const timer = setInterval(() => void look(), LOOK_AFTER_MS);
  return {
    show: () => {
      last = Date.now();
      progress.show();
    },
    say: (line) => progress.say(line),
    end: () => {
      told = true;
      clearInterval(timer);
      progress.end();
    },
  };
}

function createBar(tally: BatchTally): BatchProgress {
  const colours = coloursOf(process.stderr);
  const begun = Date.now();
  const clear = (): void => void process.stderr.write('\r\u001b[K');
  const draw = (): void => {
    const { lines } = tally.counts;
    const filled = Math.floor((BAR * ended(tally)) / lines);
    const line = `${describe(tally)} · ${drawDuration(Date.now() - begun)}`;
    const room = Math.max(1, (process.stderr.columns || 80) - BAR - 4);
    clear();
    process.stderr.write(
      `${colours.cyan('█'.repeat(filled))}${colours.dim('░'.repeat(BAR - filled))} ${line.slice(0, room)}`,
    );
  };
  const timer = setInterval(draw, DRAW_EVERY_MS);
  draw();
  return {
    show: () => undefined,
    say: (line) => {
      clear();
      say(line);
      draw();
    },
    end: () => {
      clearInterval(timer);
      clear();
    },
  };
}

function createLines(tally: BatchTally): BatchProgress {
  let tenth = 0;
  return {
    show: () => {
      const now = Math.floor((10 * ended(tally)) / tally.counts.lines);
      if (now > tenth) say(describe(tally));
      tenth = now;
    },
    say,
    end: () => undefined,
  };
}

function ended({ counts }: BatchTally): number {
  return counts.lines - counts.notStarted;
}

function describe(tally: BatchTally): string {
  const { counts, usage } = tally;
  return [
    `${ended(tally)} of ${counts.lines}`,
    counts.failed > 0 && `${counts.failed} failed`,
    counts.waiting > 0 && `${counts.waiting} waiting for a person`,
    counts.conflicts > 0 && `${counts.conflicts} in conflict`,
    drawSpent(usage),
  ]
    .filter((part) => part !== false)
    .join(' · ');
}
