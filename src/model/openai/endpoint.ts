import { dialectOf, OPENAI_URL, type DialectName } from '../../contract/dialects.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import type { ModelEndpoint, OutputLimitField } from '../../contract/model-endpoint.ts';
import { splitUrl } from '../../contract/url-parts.ts';
import { structuredOf, type Structured } from './structured.ts';

/** An endpoint, ready to be asked. */
export interface Endpoint extends Structured {
  baseUrl: string;
  /** Scheme, host and port. */
  origin: string;
  apiKey: ModelEndpoint['apiKey'];
  api: 'chat' | 'responses';
  dialect: DialectName;
  outputLimitField: OutputLimitField;
  headers: Readonly<Record<string, string>>;
  stream: boolean;
  streamUsage: boolean;
  streamIdleMs: number;
  background: boolean;
  /** In the words of whoever has to correct them. */
  names: EndpointNames;
}

/** What the settings of an endpoint are called. */
export interface EndpointNames {
  baseUrl: string;
  apiKey: string;
  api: string;
  background: string;
}

const FROM_ENVIRONMENT: EndpointNames = {
  baseUrl: 'OPENAI_BASE_URL',
  apiKey: 'OPENAI_API_KEY',
  api: 'OPENAI_API',
  background: 'OPENAI_BACKGROUND',
};

/** Sends the usage with every stream, and refuses to be asked for it. */
const REFUSES_STREAM_OPTIONS: DialectName = 'mistral';
/** Models that think send nothing for a while, and keep-alives at best. */
const STREAM_IDLE_MS = 120_000;

/** Those that do not know the newer name, or ignore it. */
const MAX_TOKENS: readonly DialectName[] = ['mistral', 'deepseek', 'ollama'];

/**
 * @param name of an endpoint of the app's own; absent: the one of the environment
 * @throws {AgentOnceError} `config.invalid`; without the URL, which may hold a password
 */
export function resolveEndpoint(options: ModelEndpoint, name?: string): Endpoint {
  const { apiKey, api = 'auto', headers = {}, streamIdleMs = STREAM_IDLE_MS } = options;
  const of = (setting: string) => `${setting} of the model endpoint '${name}'`;
  const names =
    name === undefined
      ? FROM_ENVIRONMENT
      : {
          baseUrl: of('baseUrl'),
          apiKey: of('apiKey'),
          api: of('api'),
          background: of('background'),
        };
  if (options.baseUrl === undefined && apiKey === undefined && name === undefined) {
    throw new AgentOnceError(
      'config.invalid',
      'No model is configured. Set OPENAI_API_KEY for OpenAI, or OPENAI_BASE_URL for another endpoint that speaks its chat completions or its Responses.',
    );
  }
  if (typeof apiKey === 'string' && !isSendable(apiKey)) {
    throw new AgentOnceError('config.invalid', `${names.apiKey} ${NOT_SENDABLE}.`);
  }
  const baseUrl = options.baseUrl ?? OPENAI_URL;
  const origin = originOf(baseUrl, names);
  const dialect = options.dialect ?? dialectOf(baseUrl);
  const auto = dialectOf(baseUrl) === 'openai' ? 'responses' : 'chat';
  const spoken = api === 'auto' ? auto : api;
  const { stream = false, background = false } = options;
  if (background && (spoken !== 'responses' || stream)) {
    const problem = stream
      ? 'is on, and so is its stream: an answer is asked for in one of both ways'
      : `is on, and chat completions have no background: set ${names.api} to responses, where the endpoint has them`;
    throw new AgentOnceError('config.invalid', `${names.background} ${problem}.`);
  }
  return {
    baseUrl,
    origin,
    apiKey,
    api: spoken,
    dialect,
    outputLimitField:
      options.outputLimitField ??
      (MAX_TOKENS.includes(dialect) ? 'max_tokens' : 'max_completion_tokens'),
    ...structuredOf(options, dialect),
    headers,
    stream,
    streamUsage: options.streamUsage ?? dialect !== REFUSES_STREAM_OPTIONS,
    streamIdleMs,
    background,
    names,
  };
}

/** A function that asks for a token may wait for a server that does not answer. */
const KEY_MS = 10_000;

/**
 * The key for one request; `undefined`: the endpoint takes none.
 *
 * @param secrets is given the key: whatever is told from here on must not show it
 * @throws {AgentOnceError} `model.no_key`
 * @throws the signal's reason
 */
export async function keyOf(
  { apiKey, baseUrl, names }: Endpoint,
  signal: AbortSignal,
  secrets: string[],
): Promise<string | undefined> {
  const isMissing = apiKey === undefined && baseUrl === OPENAI_URL;
  if (typeof apiKey !== 'function' && !isMissing) {
    if (apiKey !== undefined) secrets.push(...wordsOf(apiKey));
    return apiKey;
  }
  const late = AbortSignal.timeout(KEY_MS);
  let why = 'it is not set';
  try {
    if (apiKey) {
      const key: unknown = await unlessAborted(apiKey(), AbortSignal.any([signal, late]));
      why = 'it gave an empty text, or none';
      if (typeof key === 'string' && key !== '') {
        secrets.push(...wordsOf(key));
        if (isSendable(key)) return key;
        why = `it ${NOT_SENDABLE}`;
      }
    }
  } catch {
    signal.throwIfAborted();
    // What a function says that asks for tokens may hold one.
    why = late.aborted ? `it gave none within ${KEY_MS / 1_000} s` : 'it threw an error';
  }
  throw new AgentOnceError(
    'model.no_key',
    `This worker has no key for the model. ${names.apiKey}: ${why}. Nothing was asked, and the step is tried again.`,
  );
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    work.then(resolve, reject);
  });
}

const NOT_SENDABLE =
  'has a character that no HTTP header can hold, such as a space, a line break or a letter that is not ASCII';

function isSendable(key: string): boolean {
  return /^[\x21-\x7e]+$/.test(key);
}

function originOf(baseUrl: string, names: EndpointNames): string {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  let problem: string | undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    problem = 'is not an http or https URL, such as http://127.0.0.1:8000/v1';
  } else if (splitUrl(baseUrl) === undefined) {
    problem = "has an '@' behind the place where a host ends; write %40 where it belongs there";
  } else if (url.username !== '' || url.password !== '') {
    problem = `has a user name or password in it; put the credential into ${names.apiKey}`;
  } else if (url.hash !== '') {
    problem = "has a '#' in it; what stands behind it would not be sent";
  } else {
    return url.origin;
  }
  throw new AgentOnceError('config.invalid', `${names.baseUrl} ${problem}.`);
}

/** Of a value of several words, shorter ones are words of a language. */
const SHORTEST_WORD = 8;

/**
 * What must stand in no message besides the key: endpoints echo a value whole, or the word of it that
 * is the credential.
 */
export function secretsOf({ headers }: Endpoint): string[] {
  return Object.values(headers).flatMap(wordsOf);
}

function wordsOf(value: string): string[] {
  return [value, ...value.split(/\s+/).filter((word) => word.length >= SHORTEST_WORD)];
}
