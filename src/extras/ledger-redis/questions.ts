import {
  kindsAnsweredBy,
  type Decision,
  type DecisionResult,
  type QuestionKind,
} from '../../contract/decision.ts';
import { sha256Hex } from '../../contract/hash.ts';
import { canonicalJson } from '../../contract/json.ts';
import { encodePayload, sealing } from '../../ledger/payload.ts';
import type { AskedQuestion, Ledger } from '../../ledger/port.ts';
import { alreadyBegun } from '../../ledger/ledger-errors.ts';
import { didNotHappen } from '../../ledger/step-errors.ts';
import { list, type Connection, type Reply } from './connection.ts';
import { keys } from './keys.ts';
import { isoTime } from './records.ts';
import { loadScript } from './script.ts';

const ASK = loadScript('ask');
const DECIDE = loadScript('decide');

/** A question as the scripts write it; numbers and times as text. */
interface QuestionJson {
  step: string;
  kind: QuestionKind;
  round: string;
  run_id: string;
  asked_at: string;
  decision?: Decision;
  decided_by?: string;
  comment?: string;
  decided_at?: string;
  result_digest?: string;
}

export function questions(connection: Connection): Pick<Ledger, 'ask' | 'decide' | 'questions'> {
  return {
    async ask({ scope, step, kind, digest, fence, validMs, workflowId, runId }) {
      const args = [step, kind, digest, fence ?? '', validMs, workflowId, runId];
      return toQuestion(scope, parse(await connection.run(ASK, [keys.questions(scope)], args)));
    },
    async questions(scope) {
      const reply = await connection.command(['HVALS', keys.questions(scope)]);
      const all = list(reply).map(parse).sort(inOrder);
      return all.map((question) => toQuestion(scope, question));
    },
    async decide(scope, { step, round = '', decision, result, by, comment = '', edited }) {
      const digest = result === undefined ? '' : sha256Hex(canonicalJson(result));
      const request = edited ? (await encodePayload(edited.request)).data : '';
      const { data, bytes } = await encodePayload(result ?? null);
      const what = [step, round, decision, kindsAnsweredBy(decision).join(), digest];
      const reply = await connection.run(
        DECIDE,
        [keys.questions(scope), keys.step(scope, step)],
        [
          ...what,
          by,
          comment && sealing.sealer().sealText(comment),
          data,
          bytes,
          JSON.stringify(didNotHappen(by)),
          edited?.digest ?? '',
          request,
        ],
      );
      const [outcome, question] = list(reply);
      if (String(outcome) === 'begun') throw alreadyBegun(step);
      const standing = question === undefined ? undefined : parse(question);
      return {
        outcome: String(outcome) as DecisionResult['outcome'],
        decision: standing?.decision ?? null,
        by: standing?.decided_by ?? null,
        decidedAt: isoTime(standing?.decided_at),
      };
    },
  };
}

function parse(reply: Reply): QuestionJson {
  return JSON.parse(String(reply)) as QuestionJson;
}

function inOrder(a: QuestionJson, b: QuestionJson): number {
  return (
    Number(a.asked_at) - Number(b.asked_at) ||
    (a.step === b.step ? Number(a.round) - Number(b.round) : a.step < b.step ? -1 : 1)
  );
}

function toQuestion(scope: string, question: QuestionJson): AskedQuestion {
  return {
    scope,
    step: question.step,
    kind: question.kind,
    round: Number(question.round),
    askedAt: isoTime(question.asked_at) ?? '',
    runId: question.run_id,
    decision: question.decision ?? null,
    by: question.decided_by ?? null,
    comment: question.comment === undefined ? null : sealing.sealer().openText(question.comment),
    decidedAt: isoTime(question.decided_at),
    approvedDigest: question.kind === 'approval' ? (question.result_digest ?? null) : null,
  };
}
