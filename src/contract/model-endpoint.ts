import type { DialectName } from './dialects.ts';
import type { ModelOptions } from './settings.ts';

/** A model behind an endpoint, under a name of the app's own: see `src/app/models.ts`. */
export interface ModelEndpoint {
  /** Name of the model there; default: the endpoint's own name. */
  model?: string | undefined;
  /** Up to and with `/v1`; default: OpenAI's own. */
  baseUrl?: string | undefined;
  /**
   * A function is asked before each request, for keys that expire. Many endpoints on one's own machine
   * take none; OpenAI's needs one.
   */
  apiKey?: string | (() => Promise<string>) | undefined;
  /** Default, `'auto'`: Responses at OpenAI, chat completions elsewhere. */
  api?: 'auto' | 'chat' | 'responses' | undefined;
  /** Default: told by the host. */
  dialect?: DialectName | undefined;
  /** The name of the field that limits an answer's tokens in chat completions; default: the dialect's. */
  outputLimitField?: OutputLimitField | undefined;
  /**
   * How it is told what an agent's `output` must be: by the schema, by that it is JSON, or in words
   * alone; with the latter two the schema stands in the system message. Default: the dialect's.
   */
  structured?: StructuredOutput | undefined;
  /** Whether it takes that together with tools; else it is told in words. Default: the dialect's. */
  structuredWithTools?: boolean | undefined;
  /** Sent with each request. They may be secrets. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Whether answers are asked for as event streams; default: no. */
  stream?: boolean | undefined;
  /**
   * Whether a stream of chat completions is asked to tell its usage; default: yes, but for endpoints
   * that refuse to be asked and tell it all the same.
   */
  streamUsage?: boolean | undefined;
  /** For how long a stream may send nothing, in milliseconds; default: two minutes. */
  streamIdleMs?: number | undefined;
  /**
   * Responses only: whether answers are made in the background, where they are found again after the
   * death of the worker that asked; default: no.
   */
  background?: boolean | undefined;
  /** In the place of the agent's own, for an endpoint that takes others; `undefined`: not sent. */
  options?: EndpointOptions | undefined;
}

type EndpointOptions = {
  [Name in Exclude<keyof ModelOptions, 'toolChoice'>]?: ModelOptions[Name] | undefined;
};

export const STRUCTURED_OUTPUTS = ['schema', 'object', 'prompt'] as const;
export type StructuredOutput = (typeof STRUCTURED_OUTPUTS)[number];

export type OutputLimitField = 'max_tokens' | 'max_completion_tokens';

/** By name: what an agent's `model` and `fallbacks` may say. */
export type ModelEndpoints = Readonly<Record<string, ModelEndpoint>>;
