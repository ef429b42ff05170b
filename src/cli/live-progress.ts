import type { RunProgress } from '../client/types.ts';
import { START_A_WORKER } from './commands.ts';
import { coloursOf, say } from './output.ts';
import { nameQuestions } from './show-questions.ts';
import { drawDuration, drawSpent, drawSteps } from './show-run.ts';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;

const NO_WORKER = `Nobody has picked the run up: no worker is polling. ${START_A_WORKER}`;

export interface LiveProgress {
  show: (progress: RunProgress) => void;
  /** Takes the line away. */
  end: () => void;
}

/** Shows a waiting person what goes on: on a terminal one line that changes, else a line a change. */
export function createLiveProgress(startedAt: string): LiveProgress {
  return process.stderr.isTTY ? oneLine(Date.parse(startedAt)) : linePerChange();
}

function oneLine(startedAt: number): LiveProgress {
  const colours = coloursOf(process.stderr);
  let text = 'waiting for the first news';
  let frame = 0;
  let toldNoWorker = false;
  const draw = (): void => {
    const sign = FRAMES[frame++ % FRAMES.length] ?? '';
    const line = `${text} · ${drawDuration(Date.now() - startedAt)}`;
    const room = (process.stderr.columns || 80) - 3;
    const cut = line.length > room ? `${line.slice(0, room - 1)}…` : line;
    process.stderr.write(`\r\u001b[K${colours.cyan(sign)} ${cut}`);
  };
  const timer = setInterval(draw, FRAME_MS);
  draw();
  return {
    show: (progress) => {
      const alone = !progress.hasWorker && progress.waiting.length === 0;
      if (alone && !toldNoWorker) {
        // A line of its own: it is too long for one that changes, and says what to do.
        toldNoWorker = true;
        process.stderr.write(`\r\u001b[K${NO_WORKER}\n`);
      }
      text = alone ? 'nobody has picked the run up' : describe(progress);
    },
    end: () => {
      clearInterval(timer);
      process.stderr.write('\r\u001b[K');
    },
  };
}

function linePerChange(): LiveProgress {
  let last = '';
  return {
    show: (progress) => {
      const text = describe(progress);
      if (text !== last) say(text);
      last = text;
    },
    end: () => undefined,
  };
}

function describe({ hasWorker, state, waiting }: RunProgress): string {
  if (waiting.length > 0) return `waits for a person: ${nameQuestions({ waiting })}`;
  if (!hasWorker) return NO_WORKER;
  if (!state) return 'a worker is there; waiting for its answer';
  return `${drawSteps(state)} · ${drawSpent(state.usage)}`;
}
