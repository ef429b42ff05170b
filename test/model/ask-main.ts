import { ask, modelError } from './ask.ts';

/** Asks once, outside of the test runner, and prints how that failed. */
const [baseUrl = '', timeoutMs, stream] = process.argv.slice(2);
const { code, retryable, message } = await modelError(
  ask(baseUrl, {}, { timeoutMs: Number(timeoutMs) }, { stream: stream === 'stream' }),
);
console.log(JSON.stringify({ code, retryable, message }));
