import { describe, expect, test } from '@jest/globals';
import { dialectOf } from '../../src/contract/dialects.ts';

describe('an endpoint is told by its host', () => {
  test.each([
    ['https://api.openai.com/v1', 'openai'],
    ['https://eu.api.openai.com/v1', 'openai'],
    ['https://api.openai.com.evil.example/v1', 'other'],
    ['https://notapi.openai.com/v1', 'other'],
    ['https://acme.openai.azure.com/openai/v1/', 'azure'],
    ['https://acme.services.ai.azure.com/openai/v1/', 'azure'],
    ['https://generativelanguage.googleapis.com/v1beta/openai', 'gemini'],
    ['https://europe-west1-aiplatform.googleapis.com/v1/projects/p/endpoints/openapi', 'vertex'],
    ['https://api.deepseek.com', 'deepseek'],
    ['https://api.moonshot.cn/v1', 'kimi'],
    ['https://api.mistral.ai/v1', 'mistral'],
    ['https://openrouter.ai/api/v1', 'openrouter'],
    ['https://api.groq.com/openai/v1', 'groq'],
    ['http://127.0.0.1:11434/v1', 'ollama'],
    ['http://127.0.0.1:8000/v1', 'other'],
    ['not a url', 'other'],
  ])('%s is %s', (url, name) => {
    expect(dialectOf(url)).toBe(name);
  });
});
