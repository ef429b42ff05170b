import type { OpenQuestion, QuestionPreview, WaitingMemo } from '../contract/decision.ts';
import { LIMITS } from '../contract/limits.ts';
import { bytesOfText, cutToBytes } from '../contract/text-bytes.ts';

/**
 * What the memo says of open questions: the first few, shortened, and how many more there are. It
 * is there for lists, and for whoever asks while no worker runs. Its size is bounded: the server ends
 * a run whose memo is too large.
 */
export function waitingMemo(open: readonly OpenQuestion[]): Required<WaitingMemo> {
  const shown: QuestionPreview[] = [];
  let bytes = 0;
  for (const question of open.slice(0, LIMITS.memoQuestions)) {
    const preview = previewOf(question);
    bytes += bytesOfText(JSON.stringify(preview));
    // Without any, the run would not seem to wait.
    if (shown.length > 0 && bytes > LIMITS.memoQuestionsBytes) break;
    shown.push(preview);
  }
  const more = open.length - shown.length;
  return { waiting: shown.length > 0 ? shown : null, waitingMore: more > 0 ? more : null };
}

function previewOf(question: OpenQuestion): QuestionPreview {
  const { summary, worker, error } = question;
  const texts = { summary: short(summary), worker: short(worker), error: short(error) };
  const cut = texts.summary !== summary || texts.worker !== worker || texts.error !== error;
  return { ...question, ...texts, ...(cut ? { cut } : {}) };
}

function short<T extends string | null>(text: T): T | string {
  // As JSON, a control character takes six bytes.
  return text === null ? text : cutToBytes(text.replaceAll(/\p{Cc}/gu, ' '), LIMITS.memoTextBytes);
}
