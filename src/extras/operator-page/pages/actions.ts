import {
  commandFor,
  hasCommand,
  INPUT_TO_FILL_IN,
  plainCommand,
  startCommandFor,
} from '../../../cli/commands.ts';
import { ANSWER_COMMANDS } from '../../../contract/decision-words.ts';
import { shellWord } from '../../../contract/command-line.ts';
import type { NextAction } from '../../explain/next-actions.ts';
import { describeAction } from '../../explain/next-words.ts';
import { html, showLine, showLines, type Html, type Part } from '../html.ts';
import { questionPath, ROOT, runPath } from '../paths.ts';
import { may } from '../session.ts';
import type { ShownStory } from './shown-story.ts';

/** What a person can do about a run, likely first: with a button, or else with a command. */
export function drawActions(story: ShownStory): Html {
  const { caller, explanation, shadowKey } = story;
  return html`<section aria-labelledby="next">
    <h2 id="next">Next</h2>
    <ul class="facts">
      ${explanation.next.map((action) => html`<li>${drawAction(action, story)}</li>`)}
    </ul>
    <div class="buttons">
      ${
        may(caller, 'start') &&
        drawForm(story, {
          path: 'shadow',
          label: 'Start a shadow run of the same input',
          fields: html`<input type="hidden" name="key" value="${shadowKey}" />`,
        })
      }
      <a href="${`${ROOT}/runs`}">All runs</a>
    </div>
  </section>`;
}

/** Every kind of action has its case: one that is new in `explain` does not compile without one. */
function drawAction(action: NextAction, story: ShownStory): Part {
  const { explanation, caller } = story;
  switch (action.kind) {
    case 'nothing':
    case 'mend':
      return drawWords(action, story);
    case 'result':
      return html`<a href="#result">Its result</a> is on this page.`;
    case 'wait':
      return 'It goes on by itself, and this page with it.';
    case 'status':
      return `${explanation.waitingMore ?? 'Some'} more questions are known to the run alone: they are shown here when a worker runs.`;
    case 'answer':
      return drawAnswer(action, story);
    case 'start-worker':
      return [drawWords(action, story), drawCommand(plainCommand('worker'))];
    case 'unpause':
      return [drawWords(action, story), ...drawUnpause(story)];
    case 'cancel':
      return [
        drawWords(action, story),
        may(caller, 'start')
          ? drawForm(story, { path: 'cancel', label: 'Cancel the run' })
          : drawCommands(action, story),
      ];
    case 'resume':
      return [
        drawWords(action, story),
        // Without the request it has to be sent again.
        may(caller, 'start') && explanation.request
          ? drawForm(story, { path: 'resume', label: 'Resume', fields: drawTurns(action) })
          : drawCommands(action, story),
      ];
    case 'forget':
      return [
        drawWords(action, story),
        may(caller, 'admin')
          ? drawForm(story, { path: 'forget', label: 'Forget the run', fields: drawSure(FORGETS) })
          : drawCommands(action, story),
      ];
    case 'start':
      return [
        drawWords(action, story),
        may(caller, 'start') && explanation.request && story.isKeyKnown
          ? drawForm(story, {
              path: 'start',
              label: 'Start a new run of the same input',
              fields: drawSure(STARTS),
            })
          : drawCommands(action, story),
      ];
  }
}

const FORGETS =
  'The key becomes new: the next start under it makes a new run, and every effect again.';
const STARTS = 'It is wanted a second time: a new run makes every effect again.';

function drawWords(action: NextAction, { explanation }: ShownStory): Html {
  return html`<p>${showLines(describeAction(action, explanation).join('\n'))}</p>`;
}

/** A question that waits has its form on this page; one of a run that has failed comes first. */
function drawAnswer(action: NextAction, story: ShownStory): Part {
  const { explanation, caller } = story;
  const step = action.step ?? '';
  const waits = explanation.waiting.some((question) => question.step === step);
  if (action.after !== null || !waits) {
    return `Once the run is resumed, a person is asked what became of ${step}.`;
  }
  if (!may(caller, 'decide')) {
    return [`Somebody has to answer about ${step}:`, drawCommands(action, story)];
  }
  const path = questionPath(explanation.workflowId, step);
  return html`<a href="${path}">Answer what it asks about ${step}</a>`;
}

/** A limit that the run has met has to be raised, or it is met again. */
function drawTurns({ commands }: NextAction): Part {
  const [, turns] = /^--max-turns (\d+)$/m.exec(commands[0]?.options.join('\n') ?? '') ?? [];
  if (turns === undefined) return null;
  return html`<label
    >Turns at most
    <input type="number" name="turns" value="${turns}" min="1" max="1000000" required
  /></label>`;
}

function drawSure(what: string): Html {
  return html`<label class="check"
    ><input type="checkbox" name="sure" value="yes" required /> ${what}</label
  >`;
}

/** Temporal alone can do it: the page has no right to pause or unpause. */
function drawUnpause({ explanation: { namespace, ui, workflowId } }: ShownStory): Part[] {
  const where = namespace === null ? '' : ` --namespace ${shellWord(namespace)}`;
  const query = shellWord(`WorkflowId = '${workflowId}'`);
  return [
    drawCommand(`temporal activity unpause${where} --query ${query} --yes`),
    ui !== null && html`<p><a href="${ui}">The run in Temporal UI</a></p>`,
  ];
}

interface Form {
  path: 'cancel' | 'resume' | 'forget' | 'start' | 'shadow';
  label: string;
  fields?: Part;
}

function drawForm({ explanation }: ShownStory, { path, label, fields }: Form): Html {
  const { workflowId, executions } = explanation;
  return html`<form method="post" action="${`${runPath(workflowId)}/${path}`}">
    <input type="hidden" name="execution" value="${executions.at(-1)?.runId ?? ''}" />
    ${fields}
    <button>${label}</button>
  </form>`;
}

/** The commands that do it, where whoever looks at the page cannot. */
function drawCommands(
  { commands, kind, step }: NextAction,
  { explanation, isKeyKnown }: ShownStory,
): Part {
  // By the hash of a key no command finds its run.
  if (!isKeyKnown) return null;
  return commands
    .filter(({ name }) => hasCommand(name))
    .map(({ name, options, decision }) => {
      const does = Object.values(ANSWER_COMMANDS)
        .flat()
        .find((each) => each.decision === decision);
      const input = INPUT_TO_FILL_IN[kind === 'resume' ? 'same' : 'any'];
      const command =
        name === 'start'
          ? startCommandFor(explanation, options, input)
          : commandFor(name, explanation, options, step ?? undefined);
      return [does && html`<p class="more">${does.does}</p>`, drawCommand(command)];
    });
}

/** To be copied: the page's script puts a button beside it. */
function drawCommand(command: string): Html {
  return html`<p class="command"><code data-command="">${showLine(command)}</code></p>`;
}
