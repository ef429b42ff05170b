import { dialectOf, OPENAI_URL, type DialectName } from '../../contract/dialects.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { splitUrl } from '../../contract/url-parts.ts';

/** How an endpoint is set up; what is left out is that of OpenAI, or told by the host. */
export interface EndpointOptions {
  /** Up to and with `/v1`; default: OpenAI's own. */
  baseUrl?: string | undefined;
  /** Needed without a `baseUrl`; many other endpoints take none. */
  apiKey?: string | undefined;
  /** `auto`: Responses at OpenAI, chat completions elsewhere. */
  api?: 'auto' | 'chat' | 'responses' | undefined;
  dialect?: DialectName | undefined;
  /** The name of the field that limits an answer's tokens in chat completions. */
  outputLimitField?: OutputLimitField | undefined;
  /** Sent with each request. They may be secrets. */
  headers?: Readonly<Record<string, string>> | undefined;
}

export type OutputLimitField = 'max_tokens' | 'max_completion_tokens';

/** An endpoint, ready to be asked. */
export interface Endpoint {
  baseUrl: string;
  /** Scheme, host and port. */
  origin: string;
  apiKey: string | undefined;
  api: 'chat' | 'responses';
  dialect: DialectName;
  outputLimitField: OutputLimitField;
  headers: Readonly<Record<string, string>>;
  /** What must stand in no message. */
  credentials: readonly string[];
}

/** Those that do not know the newer name, or ignore it. */
const MAX_TOKENS: readonly DialectName[] = ['mistral', 'deepseek', 'ollama'];

/** @throws {AgentOnceError} `config.invalid`; without the URL, which may hold a password */
export function resolveEndpoint(options: EndpointOptions): Endpoint {
  const { apiKey, api = 'auto', headers = {} } = options;
  if (options.baseUrl === undefined && apiKey === undefined) {
    throw new AgentOnceError(
      'config.invalid',
      'No model is configured. Set OPENAI_API_KEY for OpenAI, or OPENAI_BASE_URL for another endpoint that speaks its chat completions or its Responses.',
    );
  }
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new AgentOnceError(
      'config.invalid',
      'OPENAI_API_KEY has a character that no HTTP header can hold, such as a space, a line break or a letter that is not ASCII.',
    );
  }
  const baseUrl = options.baseUrl ?? OPENAI_URL;
  const origin = originOf(baseUrl);
  const dialect = options.dialect ?? dialectOf(baseUrl);
  const auto = dialectOf(baseUrl) === 'openai' ? 'responses' : 'chat';
  return {
    baseUrl,
    origin,
    apiKey,
    api: api === 'auto' ? auto : api,
    dialect,
    outputLimitField:
      options.outputLimitField ??
      (MAX_TOKENS.includes(dialect) ? 'max_tokens' : 'max_completion_tokens'),
    headers,
    credentials: credentialsIn([
      ...(apiKey === undefined ? [] : [apiKey]),
      ...Object.values(headers),
    ]),
  };
}

function originOf(baseUrl: string): string {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  let problem: string | undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    problem = 'is not an http or https URL, such as http://127.0.0.1:8000/v1';
  } else if (splitUrl(baseUrl) === undefined) {
    problem = "has an '@' behind the place where a host ends; write %40 where it belongs there";
  } else if (url.username !== '' || url.password !== '') {
    problem = 'has a user name or password in it; put the credential into OPENAI_API_KEY';
  } else if (url.hash !== '') {
    problem = "has a '#' in it; what stands behind it would not be sent";
  } else {
    return url.origin;
  }
  throw new AgentOnceError('config.invalid', `OPENAI_BASE_URL ${problem}.`);
}

/** Of a value of several words, shorter ones are words of a language. */
const SHORTEST_WORD = 8;

/** Endpoints echo a value whole, or the word of it that is the credential. */
function credentialsIn(values: readonly string[]): string[] {
  return values.flatMap((value) => [
    value,
    ...value.split(/\s+/).filter((word) => word.length >= SHORTEST_WORD),
  ]);
}
