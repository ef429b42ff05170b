import { AgentOnceError } from '../../contract/errors.ts';
import { canonicalJson } from '../../contract/json.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import { sha256Hex } from '../../contract/hash.ts';
import { IMPLIED_MODEL_POLICY, wholePolicy, type AgentSettings } from '../../contract/settings.ts';
import { modelStep, type ModelStepInput, type ModelStepResult } from '../../contract/step.ts';
import { askModel } from './ask-model.ts';
import type { ActivityDeps } from '../deps.ts';
import type { EarlierStep, SeenRecords } from '../../ledger/port.ts';
import { runStep } from '../step/run-step.ts';
import { asTurnRecord } from './turn-record.ts';

/** The `callModel` activity: one turn's model call, and the plan of the tool calls it asks for. */
export async function callModel(
  deps: ActivityDeps,
  input: ModelStepInput,
): Promise<ModelStepResult> {
  const { run, turn, messages, previous } = input;
  const agent = deps.agents.agent(run.agent);
  if (!agent) throw unknownAgent(run.agent);
  const settings = input.settings ? settingsOf(input.settings) : agent.settings;
  const digest = sha256Hex(canonicalJson({ step: modelStep(turn), previous, messages }));

  // Before anything else in a run that follows another: from here on, only one has the key.
  if (input.retires !== undefined) await deps.ledger.retire(input.retires);
  // Read while the claim is on its way: nothing changes the turns before this one any more. But not
  // for a step that is likely to be recorded: a long run that is resumed would read all of it at
  // each turn.
  const { transcripts } = deps;
  const begin = () => transcripts.before(deps.ledger, run.scope, turn);
  let read = input.resuming ? undefined : begin();
  let reading: Promise<EarlierStep[]> | undefined;
  let held: string | undefined;
  const earlier = () => (reading ??= (read ??= begin())(held));
  const ask = askModel(deps, input, agent, settings, earlier);
  const outcome = await runStep(
    deps,
    {
      claim: {
        scope: run.scope,
        step: modelStep(turn),
        turn,
        kind: 'model',
        name: input.model ?? settings.model,
        effect: null,
        digest,
        request: messages as unknown as JsonValue,
        seen: seenBefore(input),
      },
      policy: settings.modelPolicy,
      faultName: 'model',
      defaultCode: 'model.bad_answer',
    },
    (granted) => {
      held = granted.before;
      return ask(granted);
    },
  );

  const { inputTokens, outputTokens, costUsd, knownBy, unknownAttempts, ledger, sharedWith } =
    outcome;
  const { content, calls, planned, tokens, repair, output } = asTurnRecord(outcome.result);
  const isFinal = calls.length === 0 && repair === undefined;
  const { nonce, result } = outcome;
  if (isFinal) transcripts.forget(run.scope);
  else if (nonce !== undefined && held !== undefined) {
    const request = messages as unknown as JsonValue;
    const step = { step: modelStep(turn), state: 'completed', digest, request, result } as const;
    transcripts.answered(run.scope, turn, { ...step, nonce });
  }
  return {
    digest,
    // With neither output nor calls the run takes another turn.
    ...(isFinal ? { output: output ?? content ?? '' } : {}),
    calls: planned,
    refused: calls.filter((call) => call.refusal !== undefined).length,
    usage: { inputTokens: inputTokens ?? 0, outputTokens: outputTokens ?? 0, costUsd, ...tokens },
    knownBy,
    possiblyPaid: unknownAttempts,
    ledger,
    ...(sharedWith === null ? {} : { sharedWith }),
    ...(input.settings ? {} : { settings }),
  };
}

function settingsOf(pinned: NonNullable<ModelStepInput['settings']>): AgentSettings {
  return { ...pinned, modelPolicy: wholePolicy(IMPLIED_MODEL_POLICY, pinned.modelPolicy) };
}

/** What the ledger must hold before it may be asked for this turn. */
function seenBefore({ turn, previous, ledger, recorded }: ModelStepInput): SeenRecords {
  return {
    ...(ledger === undefined ? {} : { ledger }),
    ...(recorded ? { done: recorded } : {}),
    ...(previous === null ? {} : { previous: { step: modelStep(turn - 1), digest: previous } }),
  };
}

function unknownAgent(name: string): AgentOnceError {
  return new AgentOnceError(
    'agent.unknown',
    `The worker does not know an agent "${name}". Register it in src/app/agents/index.ts and deploy the worker, or correct the name.`,
  );
}
