import { randomUUID } from 'node:crypto';
import autocannon, { type Options, type Result } from 'autocannon';

/** Where one of the two takes its requests. */
export interface Target {
  name: 'ours' | 'plain';
  url: string;
  headers: Readonly<Record<string, string>>;
}

/** What is sent, again and again. */
export interface HttpCase {
  what: string;
  /** `undefined`: a new one each time. */
  key: string | undefined;
  input: string;
  /** Any other answer fails the benchmark. */
  status: number;
}

/**
 * Sends requests over so many connections, and the next one on each when the answer has come.
 *
 * @returns what each took in milliseconds, but for the first one of each connection
 * @throws when one is answered otherwise than the case says
 */
export async function sendMany(
  { name, url, headers }: Target,
  { what, key, input, status }: HttpCase,
  { amount, connections }: { amount: number; connections: number },
): Promise<number[]> {
  const times: number[] = [];
  const options: Options = {
    url,
    method: 'POST',
    amount,
    connections: Math.min(connections, amount),
    timeout: 30,
    body: JSON.stringify({ input }),
    headers: { 'content-type': 'application/json', ...headers },
    requests: [
      {
        setupRequest: (request) => ({
          ...request,
          headers: { ...request.headers, 'idempotency-key': `"${key ?? randomUUID()}"` },
        }),
      },
    ],
    // How often it looks whether it is done: it would be each second.
    sampleInt: 20,
  };
  const connected = new WeakSet<object>();
  const { statusCodeStats, errors, timeouts } = await new Promise<Result>((resolve, reject) => {
    const run = autocannon(options, (error: unknown, result) =>
      error ? reject(error) : resolve(result),
    );
    run.on('response', (client, _status, _bytes, ms) => {
      if (connected.has(client)) times.push(ms);
      else connected.add(client);
    });
  });
  const answers = Object.entries(statusCodeStats ?? {}).map(
    ([code, { count }]) => `${code}: ${count}`,
  );
  if (errors + timeouts > 0 || answers.join() !== `${status}: ${amount}`) {
    throw new Error(
      `Of ${amount} requests (${what}) to ${name}, each of which has ${status} for an answer, came ${answers.join(', ') || 'none'}; ${errors} errors, ${timeouts} late.`,
    );
  }
  return times;
}
