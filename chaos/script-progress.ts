/** Tells people how far it is: one line that changes on a terminal, a line now and then elsewhere. */
export interface Progress {
  tell(line: string): void;
  /** Takes the line away. */
  end(): void;
}

const ELSEWHERE_EVERY_MS = 10_000;

export function createProgress(stream: NodeJS.WriteStream): Progress {
  let last = '';
  let lastAt = 0;
  return {
    tell(line) {
      if (line === last) return;
      const isCount = /^\d/.test(line);
      if (stream.isTTY) {
        stream.write(`\r\u001b[2K${line.slice(0, Math.max(20, stream.columns - 1))}`);
      } else if (!isCount || Date.now() - lastAt >= ELSEWHERE_EVERY_MS) {
        stream.write(`${line}\n`);
        lastAt = Date.now();
      }
      last = line;
    },
    end() {
      if (stream.isTTY) stream.write('\r\u001b[2K');
    },
  };
}
