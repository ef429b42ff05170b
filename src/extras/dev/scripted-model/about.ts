/** What `GET /` says. */
export const ABOUT = `This is agent-once's scripted model: it speaks OpenAI's chat completions and Responses, but plays
a script. No language model is behind it, and nothing leaves this machine.

POST /v1/chat/completions   the answer, always whole: it does not stream
POST /v1/responses          the same scripts through the Responses API, stateless
GET  /v1/models             the one model there is; any name is accepted
GET  /counters              {"requests":n,"byToken":{"<key before ~>":n},"byKey":{"<Idempotency-Key>":n}}
POST /counters/reset
POST /delay                 {"ms":n}: every answer waits

A message of the user can be a script: {"script":[{"calls":[{"name":"echo","arguments":{}}]},{"say":"done"}]}.
Entry n is the answer of turn n. An entry can hold: calls (name, arguments), say, refusal,
reasoning, finish (any text or null), delayMs, usage.
`;
