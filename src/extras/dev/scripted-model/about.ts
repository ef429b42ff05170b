import type { DialectName } from './dialects/dialects.ts';

const DIALECTS: Record<DialectName, string> = {
  openai: 'refuses what OpenAI refuses, chat and Responses',
  azure: 'the same, at Azure',
  gemini: 'wants extra_content.google.thought_signature back, from gemini-3 on',
  vertex: 'wants extra_content.vertex.thought_signature back, from gemini-3 on',
  deepseek: 'wants reasoning_content back',
  kimi: 'wants reasoning_content back, and not empty',
  mistral: 'takes no member that it does not know; call IDs of nine letters or digits',
  openrouter: 'sends reasoning and reasoning_details',
  groq: 'takes no message member that it does not know',
};

/** What `GET /` says. */
export const ABOUT = `This is agent-once's scripted model: it speaks OpenAI's chat completions and Responses, but plays
a script. No language model is behind it, and nothing leaves this machine.

POST /v1/chat/completions   the answer, with "stream": true as server-sent events
POST /v1/responses          the same scripts through the Responses API, stateless
GET  /v1/models             the one model there is; any name is accepted
GET  /counters              {"requests":n,"byToken":{"<key before ~>":n},"byKey":{"<Idempotency-Key>":n},"replayed":n}
POST /counters/reset        forgets the recent requests, too
GET  /requests              the last 200: ?token=<key before ~>&key=<whole key>&last=n
GET  /faults                what will go wrong
POST /faults                {"faults":[{"kind":"status","status":500}],"match":"text"}: one per request
DELETE /faults
POST /delay                 {"ms":n}: every answer waits
POST /gateway               {"replay":true}: the first whole 200 answer is given again for the same
                            Idempotency-Key, 409 for another body. A path below /gateway does so, too:
                            /gateway/v1, /gateway/kimi/v1

/v1 accepts whatever has the right shape. These refuse what their endpoint refuses:
${Object.entries(DIALECTS)
  .map(([name, what]) => `/${name}/v1`.padEnd(18) + what)
  .join('\n')}

A message of the user can be a script: {"script":[{"calls":[{"name":"echo","arguments":{}}]},{"say":"done"}]}.
Entry n is the answer of turn n. An entry can hold: calls (name, arguments, argumentsAs: "object", id),
ids ("same", "empty"), legacyCall, say (text or parts), commentary, refusal, reasoning, finish (any text
or null), delayMs, usage, and fault: what goes wrong first, "times" times per step.
Kinds of fault: unknown-tool, wrong-arguments, malformed-arguments, several-calls, truncated,
content-filter, refusal, error-in-choice (code, message); hang, hang-in-body, drop, break,
malformed-json, html, empty-object, text-plain, event-stream, error-in-body (code, message),
insufficient-quota, rate-limit (retryAfter, waitMs, message), prompt-filtered, tool-use-failed
(failedGeneration), key-conflict, status (status, headers, body).
`;
