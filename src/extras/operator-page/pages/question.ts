import { DECISION_WORDS, QUESTION_WORDS } from '../../../contract/decision-words.ts';
import type { Decision, OpenQuestion } from '../../../contract/decision.ts';
import { titleOf } from '../../../cli/show-run.ts';
import { nameProcess } from '../../../cli/show-questions.ts';
import {
  distance,
  html,
  showJson,
  showLine,
  showLines,
  time,
  type Html,
  type Part,
} from '../html.ts';
import type { GivenArguments } from '../parse-arguments.ts';
import { questionPath, ROOT, runPath } from '../paths.ts';
import { facts } from './layout.ts';

/** What a person decides about, and how. */
export interface AskedPart {
  workflowId: string;
  runId: string;
  question: OpenQuestion;
  /** What the call is made with; `undefined`: the ledger could not be read. */
  given: GivenArguments | undefined;
  /** Whether who looks at it may decide. */
  mayDecide: boolean;
  /** What a person has typed in the place of the arguments, where it could not be taken. */
  typed?: string | undefined;
}

export function nameQuestion({
  step,
  tool,
  summary,
}: Pick<OpenQuestion, 'step' | 'tool' | 'summary'>): string {
  return showLine(titleOf({ id: step, kind: 'tool', tool, summary }));
}

/** The whole question, with the forms that answer it. */
export function drawQuestion(part: AskedPart): Html {
  const { question, workflowId } = part;
  const { step, kind, askedAt, deadline, otherwise } = question;
  return html`<section class="card question" id="${step}" aria-labelledby="${`${step}-title`}">
    <h2 id="${`${step}-title`}">
      <span class="${`pill ${kind}`}">${QUESTION_WORDS[kind].is}</span> ${nameQuestion(question)}
    </h2>
    ${facts([
      ['call', html`<a href="${questionPath(workflowId, step)}">${step}</a>`],
      ['asked', [time(askedAt), ' (', distance(askedAt), ')']],
      [
        'deadline',
        [
          time(deadline),
          ' (',
          distance(deadline),
          '). Then ',
          DECISION_WORDS[otherwise].unanswered,
          '.',
        ],
      ],
      ...(kind === 'outcome' ? drawAttempt(part) : []),
    ])}
    ${drawArguments(part)}
    ${
      part.mayDecide
        ? drawForms(part)
        : html`<p>
            Your key does not have the scope <code>decide</code>: somebody else has to answer.
          </p>`
    }
  </section>`;
}

function drawArguments({ given, question: { kind } }: AskedPart): Html {
  const title = kind === 'approval' ? 'It will run with these arguments' : 'It was called with';
  return html`<div>
    <h3>${title}</h3>
    ${
      given === undefined
        ? html`<p>The ledger, which has them, cannot be read now.</p>`
        : drawGiven(given)
    }
  </div>`;
}

/** What runs; and what is recorded, where the tool's schema makes something else of it. */
function drawGiven({ recorded, parsed }: GivenArguments): Part {
  const asRecorded = html`<pre tabindex="0" class="arguments">${showJson(recorded)}</pre>`;
  switch (parsed.outcome) {
    case 'same':
      return asRecorded;
    case 'other':
      return [
        html`<pre tabindex="0" class="arguments">${parsed.text}</pre>`,
        html`<details>
          <summary>As the model gave them, before the tool's schema was applied</summary>
          <pre tabindex="0">${showJson(recorded)}</pre>
        </details>`,
      ];
    case 'refused':
      return [
        asRecorded,
        html`<p class="warning">
          The tool's schema, as this service has it, does not take them: ${showLines(parsed.why)}
        </p>`,
      ];
    case 'unknown':
      return [
        asRecorded,
        html`<p class="hint">
          As they are recorded: this service does not know the tool, whose schema may change them.
        </p>`,
      ];
  }
}

function drawAttempt({ question }: AskedPart): [string, Part][] {
  const { worker, claimedAt, error } = question;
  const then =
    error === null
      ? 'It fell silent: it was killed, or it was stopped or cut off, and then it may still act.'
      : 'Whether what it had sent by then takes effect is not known.';
  return [
    [
      'attempt',
      [
        'by ',
        nameProcess(worker),
        ...(claimedAt === null ? [] : [', begun ', time(claimedAt)]),
        '. ',
        then,
      ],
    ],
    ['its error', error !== null && html`<code>${showLines(error)}</code>`],
  ];
}

const BUTTONS: Record<Decision, string> = {
  approve: 'Approve',
  deny: 'Deny',
  happened: 'It happened',
  'did-not-happen': 'It did not happen',
  fail: 'Fail the run',
};

function drawForms(part: AskedPart): Part {
  const { question, given } = part;
  const { step } = question;
  if (question.kind === 'approval') {
    return [
      drawForm(part, 'approval', ['approve', 'deny']),
      question.editable && given !== undefined && drawEditor(part, given),
    ];
  }
  return [
    drawForm(
      part,
      'happened',
      ['happened'],
      [
        html`<label for="${`${step}-result`}"
          >Its result, as JSON (optional: what the model is told)</label
        >`,
        html`<textarea id="${`${step}-result`}" name="result" rows="2"></textarea>`,
      ],
    ),
    drawForm(
      part,
      'did-not-happen',
      ['did-not-happen'],
      [
        html`<p class="warning">
          The call is made again. If the attempt can still act, or what it sent is still under way,
          it happens twice.
        </p>`,
        html`<label class="check"
          ><input type="checkbox" name="sure" value="yes" required /> I made sure that the attempt
          can no longer act, and that it did not happen</label
        >`,
      ],
    ),
    drawForm(
      part,
      'fail',
      ['fail'],
      [html`<p>Nobody can tell: the run fails. Resumed, it asks again.</p>`],
    ),
  ];
}

/** For tools whose calls may be approved with other arguments. */
function drawEditor(part: AskedPart, { recorded }: GivenArguments): Html {
  const id = `${part.question.step}-arguments`;
  const form = drawForm(
    part,
    'edited',
    ['approve'],
    [
      html`<label for="${id}">Arguments that the call is to run with, as JSON</label>`,
      html`<textarea id="${id}" name="arguments" rows="8" required>
${part.typed ?? showJson(recorded)}</textarea>`,
      html`<p class="hint">
        Both are kept: what the model asked for, and what you approve. The model is told.
      </p>`,
    ],
    { approve: 'Approve with these arguments' },
  );
  return part.typed === undefined
    ? html`<details class="decide">
        <summary>Change the arguments</summary>
        ${form}
      </details>`
    : html`<details class="decide" open>
        <summary>Change the arguments</summary>
        ${form}
      </details>`;
}

function drawForm(
  { workflowId, runId, question: { step, round, kind } }: AskedPart,
  name: string,
  decisions: readonly Decision[],
  more: Part = null,
  buttons: Partial<Record<Decision, string>> = {},
): Html {
  const id = `${step}-${name}-comment`;
  return html`<form
    class="decide"
    method="post"
    action="${`${runPath(workflowId)}/steps/${step}/decision`}"
  >
    <input type="hidden" name="round" value="${round}" />
    <input type="hidden" name="kind" value="${kind}" />
    <input type="hidden" name="execution" value="${runId}" />
    ${more}
    <label for="${id}"
      >Comment (optional: kept with the decision; the model reads why a call was denied)</label
    >
    <input id="${id}" name="comment" maxlength="2000" autocomplete="off" />
    <div class="buttons">
      ${decisions.map(
        (decision) =>
          html`<button
            class="${decision === 'approve' || decision === 'happened' ? 'primary' : ''}"
            name="decision"
            value="${decision}"
          >
            ${buttons[decision] ?? BUTTONS[decision]}
          </button>`,
      )}
    </div>
  </form>`;
}

export function backToInbox(): Html {
  return html`<p><a href="${`${ROOT}/inbox`}">Back to the inbox</a></p>`;
}
