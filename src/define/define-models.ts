import type { ModelEndpoint } from '../contract/model-endpoint.ts';

/** Types the endpoints of models that agents name. Checked when a worker starts. */
export function defineModels<Name extends string>(
  endpoints: Record<Name, ModelEndpoint>,
): Record<Name, ModelEndpoint> {
  return endpoints;
}
