import type { LedgerReader } from '../../ledger/reader.ts';
import { Connection } from './connection.ts';
import { questions } from './questions.ts';
import { readHeldSteps } from './records.ts';

/** See `openLedgerReader`. Whether the server answers shows with the first question. */
export function openRedisLedgerReader(url: string): LedgerReader {
  const connection = new Connection(url);
  return {
    steps: (scope) => readHeldSteps(connection, scope),
    questions: questions(connection).questions,
    close: () => connection.close(),
  };
}
