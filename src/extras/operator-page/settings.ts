import { readHttpUrl } from '../../env.ts';

export interface PageSettings {
  /** Where people reach the service, as in links that are sent to them. */
  publicUrl: string | undefined;
}

/** @throws {AgentOnceError} `config.invalid` */
export function readPageSettings(env?: NodeJS.ProcessEnv): PageSettings {
  return { publicUrl: readHttpUrl('AGENT_ONCE_PUBLIC_URL', env) };
}
