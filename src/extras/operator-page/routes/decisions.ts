import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { AgentOnceError } from '../../../contract/errors.ts';
import type { CountedDecision, QuestionKind } from '../../../contract/decision.ts';
import { parseJson } from '../../../contract/json.ts';
import type { JsonValue } from '../../../contract/json-value.ts';
import { outcomeInLedger } from '../../explain/recorded-answers.ts';
import type { Caller } from '../../service/api-keys/port.ts';
import { callerOf } from '../../service/authenticate.ts';
import { HttpProblem } from '../../service/problem.ts';
import { runOf, withoutTraces } from '../../service/runs.ts';
import {
  decision as decisionSchema,
  questionKind,
  runId,
  stepName,
} from '../../service/schemas.ts';
import { html, showLine, showLines, type Part } from '../html.ts';
import { recall, remember } from '../flash.ts';
import { drawPage, notice } from '../pages/layout.ts';
import { backToInbox, drawQuestion } from '../pages/question.ts';
import { questionPath, ROOT, runPath } from '../paths.ts';
import { sendPage } from '../send-page.ts';
import { readAskingRun } from '../read-run.ts';
import type { PageDeps } from '../deps.ts';
import { access, may, nameOf } from '../session.ts';

const params = z.object({ id: runId, step: stepName });

/** One question, and the answer to it. */
export function decisionRoutes(deps: PageDeps): FastifyPluginAsyncZod {
  const { client, ledger, inbox } = deps;
  return async (app) => {
    app.route({
      method: 'GET',
      url: `${ROOT}/runs/:id/questions/:step`,
      config: access('read'),
      schema: { hide: true, params },
      handler: async (request, reply) => {
        const caller = callerOf(request);
        const { id, step } = request.params;
        const said = recall(request, reply);
        const page = await drawQuestionPage(deps, caller, id, step, said && notice(said));
        // Its answer is in the run's story.
        if (page === undefined) {
          return reply.redirect(`${runPath(id)}#${step}`, 303);
        }
        return sendPage(reply, page);
      },
    });

    app.route({
      method: 'POST',
      url: `${ROOT}/runs/:id/steps/:step/decision`,
      config: access('decide'),
      schema: {
        hide: true,
        params,
        body: z.object({
          decision: decisionSchema,
          round: z.coerce.number().int().min(1),
          kind: questionKind,
          execution: z.uuid(),
          comment: z.string().max(2_000).optional(),
          result: z.string().optional(),
          sure: z.literal('yes').optional(),
          arguments: z.string().optional(),
        }),
      },
      handler: async (request, reply) => {
        const caller = callerOf(request);
        const { id, step } = request.params;
        const run = runOf(caller, id);
        const { decision, round, kind, execution, comment = '', result = '', sure } = request.body;
        const { arguments: edited } = request.body;
        if (decision === 'did-not-happen' && sure !== 'yes') {
          throw new HttpProblem(
            'http.bad_request',
            'Nothing was decided: tick the box to say that the attempt can no longer act.',
          );
        }
        const decide = async () =>
          client.decide(
            run,
            {
              step,
              round,
              decision,
              by: nameOf(caller),
              ...(comment.trim() === '' ? {} : { comment: comment.trim() }),
              ...(decision === 'happened' && result.trim() !== ''
                ? { result: readJson(result, 'result') }
                : {}),
              ...(decision === 'approve' && edited !== undefined
                ? { arguments: readJson(edited, 'arguments') }
                : {}),
            },
            { runId: execution, lookUp: (scope, answer) => outcomeInLedger(ledger, scope, answer) },
          );
        let outcome: CountedDecision['outcome'];
        try {
          ({ outcome } = await withoutTraces(decide));
        } catch (error) {
          const refused = edited === undefined ? undefined : refusalOf(error);
          if (refused === undefined) throw error;
          // What was typed is not lost.
          const said = notice(showLines(refused), 'problem');
          const page = await drawQuestionPage(deps, caller, id, step, said, edited);
          if (page === undefined) throw error;
          return sendPage(reply.code(400), page);
        }
        inbox.answered(run, { step, kind, round });
        if (outcome === 'settled' && decision !== 'happened') {
          throw new AgentOnceError(
            'decision.conflict',
            `The attempt of ${step} has reported its result after all: the step is done, and "${decision}" was not recorded.`,
          );
        }
        remember(reply, decision);
        return reply.redirect(await nextPath(deps, caller, kind), 303);
      },
    });
  };
}

/** Where the next question is, one of the same kind before another; the inbox, if nothing waits. */
async function nextPath(
  { inbox }: PageDeps,
  { tenant }: Caller,
  kind: QuestionKind,
): Promise<string> {
  // The decision counts, whether or not the list can be read now.
  const questions = await inbox.of(tenant).then(
    (list) => list.questions,
    () => [],
  );
  const next = questions.find(({ question }) => question.kind === kind) ?? questions[0];
  return next ? questionPath(next.run.workflowId, next.question.step) : `${ROOT}/inbox`;
}

/** @returns `undefined`: the run does not ask about this step */
async function drawQuestionPage(
  deps: PageDeps,
  caller: Caller,
  id: string,
  step: string,
  said: Part,
  typed?: string,
): Promise<string | undefined> {
  const { view, arguments: given } = await withoutTraces(() =>
    readAskingRun(deps, runOf(caller, id)),
  );
  const question = view.waiting.find((each) => each.step === step);
  if (!question) return undefined;
  const { workflowId, agent, key, runId } = view;
  return drawPage({
    title: `${agent} ${showLine(key)} asks`,
    caller,
    section: 'inbox',
    body: html`<div>
      ${said}
      ${drawQuestion({
        workflowId,
        runId,
        question,
        given: given.get(step),
        mayDecide: may(caller, 'decide'),
        typed,
      })}
      <p><a href="${runPath(workflowId)}">What the run has done so far</a></p>
      ${backToInbox()}
    </div>`,
  });
}

/** Why an answer cannot be taken as it was typed; `undefined`: it failed for another reason. */
function refusalOf(error: unknown): string | undefined {
  const typed =
    (error instanceof AgentOnceError && error.code === 'decision.invalid') ||
    (error instanceof HttpProblem && error.code === 'http.bad_request');
  return typed ? error.message : undefined;
}

/** @throws {HttpProblem} `http.bad_request` */
function readJson(text: string, what: 'result' | 'arguments'): JsonValue {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof AgentOnceError)) throw error;
    const why = error.message.replace(/^The input/, `The ${what}`);
    throw new HttpProblem(
      'http.bad_request',
      `Nothing was decided. ${why} A text in JSON is written "like this", in quotes.`,
    );
  }
}
