import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { AgentOnceError } from '../contract/errors.ts';
import { FORGOTTEN } from '../contract/names.ts';
import { checkRequest, onlyResumes, type CheckedRequest } from './check-request.ts';
import { request as send, type ClientContext, type RunIdentity } from './context.ts';
import { findExecution, getExecution } from './describe.ts';
import { asFirstRequest } from './first-request.ts';
import { conflict, howToAnswer } from './found.ts';
import { readOutcome } from './outcome.ts';
import { startExecution, type StartAttempt } from './start-execution.ts';
import { newRunAfter, resumeOf, type Successor } from './successor.ts';
import { asAgentOnceError, mayHaveArrived } from './temporal-errors.ts';
import type { StartedRun, StartRequest } from './types.ts';
import { isOpen, memoOf, viewOf, viewOfStarted } from './view.ts';

/** Callers who meet at a key settle in two or three; a tombstone may take a second to close. */
const ATTEMPTS = 12;
/** Starts whose answers were lost, and after which nothing was there. */
const LOST_ATTEMPTS = 3;
const TOMBSTONE_WAIT_MS = 150;

/**
 * See `AgentOnceClient.start`. A new key costs one request to Temporal, a known one three, or two
 * where this client has seen it before. Of callers who meet at a key in one client one sends its
 * start, and the others look together what became of it.
 *
 * @param resumed a run that is there, and may only be resumed: no new one is started. Its key may be
 *   known only as it stands in its ID
 */
export async function startRun(
  context: ClientContext,
  request: StartRequest,
  resumed?: RunIdentity,
): Promise<StartedRun> {
  const checked = { ...checkRequest(context, request), ...(resumed ? { run: resumed } : {}) };
  const { workflowId } = checked.run;
  const only = resumed ?? (onlyResumes(checked.limits) ? checked.run : undefined);
  const nonce = randomUUID();
  let retryFailed = request.retryFailed ?? false;
  let successor: Successor | undefined;
  let follows: WorkflowExecutionDescription | undefined;
  /** The request, as the run that is found was first asked for. */
  let asked = checked;

  // Whose start is answered has made the run, or found it; one that fails says nothing of this one.
  const ahead = context.starting.get(workflowId);
  if (ahead) await ahead;
  for (let attempt = 1; ; attempt++) {
    const firstSeen = new Date();
    let problem: unknown;
    let found: WorkflowExecutionDescription | undefined;
    if (only && !successor) {
      found = await getExecution(context, only);
    } else if (attempt === 1 && context.seen.has(workflowId)) {
      found = await findExecution(context, workflowId);
    } else {
      try {
        const start: StartAttempt = { nonce, firstSeen, successor };
        const runId = await sendStart(context, asked, start);
        if (!successor) return newRun(checked, runId, firstSeen);
        // The server may have merged it with another caller's: whose run it is says only its memo.
        // If that has failed meanwhile, this is the outcome of the resume that was asked for.
        retryFailed = false;
      } catch (error) {
        const taken = error instanceof WorkflowExecutionAlreadyStartedError;
        // Anything that is not a lost answer is the server's refusal: nothing was started.
        if (!taken && !mayHaveArrived(error)) throw asAgentOnceError(error, context.temporal);
        problem = error;
      }
      found = await lookAfter(context, checked, problem);
    }
    successor = undefined;
    asked = checked;
    if (found) {
      const facts = { nonce, now: new Date(), retryFailed };
      let how = howToAnswer(found, checked, facts);
      if (how === 'conflict' && request.retryFailed && !resumed) {
        asked = (await asFirstRequest(context, checked, found)) ?? checked;
        how = howToAnswer(found, asked, facts);
      }
      if (how !== 'renew' && how !== 'resume') {
        return await answerWith(context, checked, found, how, follows);
      }
      if (how === 'renew' && only) {
        // Somebody forgot it in the meantime: it is told as what it is, or by what came after it.
        if (found.type === FORGOTTEN && attempt < ATTEMPTS) continue;
        throw new AgentOnceError(
          'run.expired',
          'The key of this run has expired, so the run cannot be resumed: the next start under its key makes a NEW run. Nothing was started.',
        );
      }
      if (isOpen(found)) await sleep(TOMBSTONE_WAIT_MS);
      successor = how === 'resume' ? await resumeOf(context, found) : newRunAfter(found, checked);
      follows = found;
    }
    const lost = !(problem instanceof WorkflowExecutionAlreadyStartedError) && !found;
    if (attempt === (lost ? LOST_ATTEMPTS : ATTEMPTS)) throw uncertain(context, checked, problem);
  }
}

/** Sends a start. Whoever comes to the same ID before the server has answered waits for that. */
function sendStart(
  context: ClientContext,
  asked: CheckedRequest,
  start: StartAttempt,
): Promise<string> {
  const { seen, starting } = context;
  const { workflowId } = asked.run;
  const answer = send(context, () => startExecution(context, asked, start));
  const isTaken = answer.then(
    () => true,
    (error: unknown) => error instanceof WorkflowExecutionAlreadyStartedError,
  );
  const answered = isTaken.then((taken) => {
    if (taken) seen.add(workflowId);
    if (starting.get(workflowId) === answered) starting.delete(workflowId);
  });
  starting.set(workflowId, answered);
  return answer;
}

/** Looks what is under the ID after a start that was refused, or whose answer was lost. */
async function lookAfter(
  context: ClientContext,
  checked: CheckedRequest,
  problem: unknown,
): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await findExecution(context, checked.run.workflowId);
  } catch (error) {
    const unanswered = ['temporal.unreachable', 'temporal.limited'];
    if (error instanceof AgentOnceError && !unanswered.includes(error.code)) throw error;
    throw uncertain(context, checked, problem);
  }
}

async function answerWith(
  context: ClientContext,
  checked: CheckedRequest,
  found: WorkflowExecutionDescription,
  how: 'mine' | 'conflict' | 'attach' | 'replay',
  follows: WorkflowExecutionDescription | undefined,
): Promise<StartedRun> {
  if (how === 'conflict') throw conflict(checked);
  const { run, keyGenerated } = checked;
  const { intent, definition } = memoOf(found);
  const before = follows && memoOf(follows).definition;
  const resumed = intent === 'resume';
  // Of this very start too it may have ended, before its lost answer was looked for.
  const view = isOpen(found) ? viewOf(run, found) : await readOutcome(context, run, found);
  return {
    ...view,
    replayed: how !== 'mine',
    keyGenerated,
    resumed,
    definitionChanged: resumed && before !== undefined && before !== definition,
  };
}

function newRun({ run, keyGenerated }: CheckedRequest, runId: string, at: Date): StartedRun {
  const view = viewOfStarted(run, runId, at.toISOString());
  return { ...view, replayed: false, keyGenerated, resumed: false, definitionChanged: false };
}

/** Nobody knows whether the run exists. The same key finds out, so the message has a made one. */
function uncertain(
  context: ClientContext,
  { run, keyGenerated }: CheckedRequest,
  problem: unknown,
): AgentOnceError {
  const { code, message } = asAgentOnceError(problem, context.temporal);
  const key = keyGenerated ? `the key that was made for it, ${run.key}` : 'the same key';
  return new AgentOnceError(
    code,
    `${message} The run may have started all the same: repeat the request with ${key}, which starts it at most once.`,
    { cause: problem },
  );
}
