import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { runPages, runUrl } from '../../src/client/workflow-url.ts';
import { readConfig } from '../../src/config.ts';

beforeEach(() => {
  runPages.path = '/app/runs';
});
afterEach(() => {
  delete runPages.path;
});

const ID = 'agent-acme.support-a:1';

test('a link leads to the operator’s page where that has an address, with or without a slash behind it', () => {
  for (const AGENT_ONCE_PUBLIC_URL of ['https://agents.example', 'https://agents.example/']) {
    const config = readConfig({ AGENT_ONCE_PUBLIC_URL });
    expect(runUrl(config, 'default', ID)).toBe(
      'https://agents.example/app/runs/agent-acme.support-a%3A1',
    );
    expect(runUrl(config, 'default', ID, 't2.c0')).toBe(
      'https://agents.example/app/runs/agent-acme.support-a%3A1#t2.c0',
    );
  }
});

test.each(['https://agents.example/agents', 'https://agents.example/?a=b'])(
  'an address with a path is refused, since its links would lead nowhere: %s',
  (AGENT_ONCE_PUBLIC_URL) => {
    expect(() => readConfig({ AGENT_ONCE_PUBLIC_URL })).toThrow(/PUBLIC_URL has a path behind/);
  },
);

test('without the extra that has the pages, a link leads to Temporal UI', () => {
  delete runPages.path;
  const config = readConfig({ AGENT_ONCE_PUBLIC_URL: 'https://agents.example' });
  expect(runUrl(config, 'team', ID)).toContain('/namespaces/team/workflows/');
});

test('and else to Temporal UI', () => {
  const config = readConfig({ TEMPORAL_UI_URL: 'http://ui.example/' });
  expect(runUrl(config, 'team', ID, 't2.c0')).toBe(
    'http://ui.example/namespaces/team/workflows/agent-acme.support-a%3A1',
  );
});
