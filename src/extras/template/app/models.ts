import { defineModels } from '../../../index.ts';

/**
 * Endpoints of models by names that agents use as their `model` or among their `fallbacks`, such as
 * `fast: { baseUrl: 'http://127.0.0.1:8000/v1', model: 'qwen' }`; see docs/models.md. The endpoint of
 * the environment (`OPENAI_BASE_URL` …) has none.
 */
export const models = defineModels({});
