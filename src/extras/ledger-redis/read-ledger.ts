import type { LedgerReader } from '../../ledger/reader.ts';
import { Connection } from './connection.ts';
import { readQuestions } from './questions.ts';
import { readSteps } from './records.ts';

/**
 * Opens the ledger for somebody who only reads. Whether the server answers shows with the first
 * question. Close it when done.
 *
 * @throws {AgentOnceError} `config.invalid`
 */
export function openRedisLedgerReader(url: string): LedgerReader {
  const connection = new Connection(url);
  return {
    steps: (scope) => readSteps(connection, scope),
    questions: (scope) => readQuestions(connection, scope),
    close: () => connection.close(),
  };
}
