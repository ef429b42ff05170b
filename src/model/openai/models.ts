import { defined } from '../../contract/defined.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import type { ModelEndpoint, ModelEndpoints } from '../../contract/model-endpoint.ts';
import type { Model, ModelRequest } from '../port.ts';
import { createOpenAiModel } from './openai-model.ts';

/**
 * The models of a worker: those of the app's endpoints by their names, and any other at the endpoint
 * of the environment.
 *
 * @param preset the endpoint of the environment
 * @throws {AgentOnceError} `config.invalid`
 */
export function createModels(preset: ModelEndpoint, endpoints: ModelEndpoints): Model {
  const other = createOpenAiModel(preset);
  const named = new Map(
    Object.entries(endpoints).map(([name, endpoint]) => [
      name,
      { endpoint, model: createOpenAiModel(endpoint, name) },
    ]),
  );
  return {
    endpoints: [...named.keys()],
    async complete(request, context) {
      const { endpoint: name } = request;
      if (name === undefined) return other.complete(request, context);
      const found = named.get(name);
      if (!found) throw unknownEndpoint(name);
      return found.model.complete(asThere(request, found.endpoint), context);
    },
    cancel: async (pending, context) =>
      (named.get(pending.endpoint)?.model ?? other).cancel?.(pending, context),
  };
}

function asThere(request: ModelRequest, { model, options }: ModelEndpoint): ModelRequest {
  const asked: ModelRequest = defined({ ...request, ...options, ...request.over });
  return { ...asked, model: model ?? request.model };
}

function unknownEndpoint(name: string): AgentOnceError {
  return new AgentOnceError(
    'model.unknown_endpoint',
    `This worker does not know the model endpoint "${name}" that the run asks. Nothing was asked, and the step is tried again: deploy a worker whose src/app/models.ts has it.`,
  );
}
