import type { Names } from './names.ts';

/** @returns text by path */
export function agentFiles({ name, file, variable }: Names): Record<string, string> {
  return {
    [`src/app/agents/${file}.ts`]: `
import { defineAgent } from '../../index.ts';

export const ${variable} = defineAgent({
  name: '${name}',
  description: 'Tells people what this agent is for.',
  instructions: \`Tell the model what it is to do, and what it must not do.\`,
  tools: [],
  maxTurns: 10,
});
`,
    [`src/app/agents/${file}.test.ts`]: `
import { expect, test } from '@jest/globals';
import { createRegistry } from '../../define/registry.ts';
import * as agents from './index.ts';
import { ${variable} } from './${file}.ts';

test('workers take the agent ${name}, with all its tools', () => {
  const registry = createRegistry(Object.values(agents), { defaultModel: 'scripted' });
  expect(Object.values(agents)).toContain(${variable});
  const known = [...registry.tools()].map(({ name }) => name);
  expect(known).toEqual(expect.arrayContaining(${variable}.tools.map(({ name }) => name)));
});
`,
  };
}
