import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { proxyFor } from '../../src/client/proxy.ts';
import { settings } from '../../src/app/settings.ts';
import { readConfig } from '../../src/config.ts';
import { readLogFormat } from '../../src/extras/logs/settings.ts';
import { readMetricsPort } from '../../src/extras/metrics/settings.ts';
import { readMailSettings } from '../../src/extras/notify/email.ts';
import { readNotifyEvery } from '../../src/extras/notify/settings.ts';
import { readSlackUrl } from '../../src/extras/notify/slack.ts';
import { readWebhookSettings } from '../../src/extras/notify/webhook.ts';
import { readServiceSettings } from '../../src/extras/service/settings.ts';
import { readTraceSettings } from '../../src/extras/traces/settings.ts';
import { variablesRead } from '../support/variables-read.ts';

const text = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
const documented = [...text.matchAll(/^\| `([A-Z_]+)` +\|/gm)].map(([, name]) => name);

test('every variable that is read is documented, and the other way round', () => {
  const read = new Set([
    ...variablesRead(readConfig),
    ...variablesRead(readServiceSettings),
    ...variablesRead(readLogFormat),
    ...variablesRead(readMetricsPort),
    ...variablesRead(readTraceSettings),
    ...variablesRead(readNotifyEvery),
    ...variablesRead(readWebhookSettings),
    ...variablesRead(readSlackUrl),
    ...variablesRead(readMailSettings),
    ...variablesRead(settings.shopUrl),
    // Each is read where it is used.
    'AGENT_ONCE_CODEC_TOKEN',
    'AGENT_ONCE_DEMO_NO_TOKENS',
    'AGENT_ONCE_ENCRYPTION_KEYS',
    'AGENT_ONCE_REDIS_DURABLE',
    'CHROMIUM_PATH',
    'TEMPORAL_CLI',
    ...variablesRead((env) => proxyFor('temporal.example:7233', env)),
    ...variablesRead((overrideEnvVars) => loadClientConnectConfig({ overrideEnvVars })),
  ]);
  // The home folder is the system's.
  read.delete('HOME');
  // Only in capitals, and the second is asked for where the first is set.
  for (const name of ['https_proxy', 'no_proxy']) read.delete(name);
  read.add('NO_PROXY');
  read.delete('XDG_CONFIG_HOME');
  expect(new Set(documented)).toEqual(read);
});

test('a heartbeat is waited for as long as the kind of ledger needs', () => {
  expect(readConfig({}).heartbeatMs).toBe(60_000);
  expect(readConfig({ LEDGER_URL: 'postgresql://db/x' }).heartbeatMs).toBe(60_000);
  expect(readConfig({ LEDGER_URL: 'rediss://cache:6379' }).heartbeatMs).toBe(5_000);
  expect(readConfig({ AGENT_ONCE_HEARTBEAT: '20s' }).heartbeatMs).toBe(20_000);
  expect(() => readConfig({ AGENT_ONCE_HEARTBEAT: 'off' })).toThrow(/AGENT_ONCE_HEARTBEAT cannot/);
});

test('a version of the workers has both its parts, and a name that Temporal takes', () => {
  const read = (TEMPORAL_DEPLOYMENT_NAME: string, TEMPORAL_WORKER_BUILD_ID: string) =>
    readConfig({ TEMPORAL_DEPLOYMENT_NAME, TEMPORAL_WORKER_BUILD_ID }).deployment;
  expect(read('', '')).toBe(undefined);
  expect(read('team/agents', 'v1')).toEqual({ deploymentName: 'team/agents', buildId: 'v1' });
  expect(() => read('agents', '')).toThrow(/TEMPORAL_WORKER_BUILD_ID is missing/);
  expect(() => read('', 'v1')).toThrow(/TEMPORAL_DEPLOYMENT_NAME is missing/);
  for (const name of ['a:b', 'a.b']) {
    expect(() => read(name, 'v1')).toThrow(/TEMPORAL_DEPLOYMENT_NAME has a dot or a colon/);
  }
});

test('documented defaults are the ones in force', () => {
  const config = readConfig({});
  const service = readServiceSettings({});
  const defaults = Object.fromEntries(
    [...text.matchAll(/^\| `([A-Z_]+)` +\| `([^`]+)` +\|/gm)].map(([, name, value]) => [
      name,
      value,
    ]),
  );
  expect(defaults).toEqual({
    LEDGER_URL: config.ledgerUrl,
    AGENT_ONCE_REDIS_DURABLE: 'off',
    OPENAI_MODEL: config.openaiModel,
    OPENAI_API: config.openaiApi,
    OPENAI_STREAM: config.openaiStream ? 'on' : 'off',
    OPENAI_BACKGROUND: config.openaiBackground ? 'on' : 'off',
    SHOP_URL: settings.shopUrl({}),
    TEMPORAL_UI_URL: config.temporalUiUrl,
    AGENT_ONCE_SEARCH_ATTRIBUTES: config.searchAttributes ? 'on' : 'off',
    AGENT_ONCE_HASH_KEYS: config.hashKeys ? 'on' : 'off',
    AGENT_ONCE_SHADOW_ONLY: config.shadowOnly ? 'on' : 'off',
    AGENT_ONCE_SPLIT_TASK_QUEUES: config.splitTaskQueues ? 'on' : 'off',
    AGENT_ONCE_CLEANUP: config.cleanupEveryMs === 3_600_000 ? '1h' : 'another',
    AGENT_ONCE_MODEL_SLOTS: String(config.modelSlots),
    AGENT_ONCE_TOOL_SLOTS: String(config.toolSlots),
    AGENT_ONCE_LEDGER_POOL: String(config.ledgerPool),
    AGENT_ONCE_DRAIN: config.drainMs === 5_000 ? '5s' : 'another',
    AGENT_ONCE_LOG_LEVEL: config.logLevel,
    AGENT_ONCE_REFUSED_LIMIT: config.refusedLimitMs === 60_000 ? '60s' : 'another',
    AGENT_ONCE_HTTP_STRICT_KEYS: service.strictKeys ? 'on' : 'off',
    AGENT_ONCE_HTTP_DUPLICATES: service.duplicates,
    AGENT_ONCE_HTTP_REQUESTS_PER_MINUTE: String(service.requestsPerMinute),
    AGENT_ONCE_NOTIFY_EVERY: readNotifyEvery({}) === 5_000 ? '5s' : 'another',
    AGENT_ONCE_DEMO_NO_TOKENS: 'off',
  });
});
