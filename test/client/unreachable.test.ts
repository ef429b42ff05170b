import { Client } from '@temporalio/client';
import { afterEach, describe, expect, test } from '@jest/globals';
import { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import { connect } from '../../src/client/connect.ts';
import { codeOf, startClientSuite } from '../support/client-suite.ts';
import { createTestNamespace } from '../support/namespace.ts';
import { connectTestClient, temporalAddress } from '../support/servers.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const environment = { ...process.env };
afterEach(() => {
  process.env = { ...environment };
});

describe('connect', () => {
  test('to where nobody listens', async () => {
    process.env['TEMPORAL_ADDRESS'] = '127.0.0.1:1';
    const connecting = connect();
    await expect(connecting).rejects.toMatchObject({ code: 'temporal.unreachable', exitCode: 6 });
    await expect(connecting).rejects.toThrow(/127\.0\.0\.1:1\b.*agent-once dev/);
  });

  test('to where somebody listens and never answers', async () => {
    const silent = await startTcpProxy(temporalAddress());
    silent.holdAnswers();
    process.env['TEMPORAL_ADDRESS'] = silent.address;
    try {
      expect(await codeOf(connect({ connectTimeoutMs: 300 }))).toBe('temporal.unreachable');
    } finally {
      await silent.stop();
    }
  });

  test('takes address and namespace from the environment', async () => {
    process.env['TEMPORAL_ADDRESS'] = temporalAddress();
    process.env['TEMPORAL_NAMESPACE'] = 'default';
    const { temporal, close } = await connect();
    try {
      expect(temporal.options.namespace).toBe('default');
      const client = new AgentOnceClient({ temporal });
      expect(await codeOf(client.describe({ agent: 'a', key: 'nobody' }))).toBe('run.not_found');
    } finally {
      await close();
    }
  });

  test('at an address that is none', async () => {
    process.env['TEMPORAL_ADDRESS'] = 'bad:host:1';
    await expect(connect()).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringContaining('TEMPORAL_ADDRESS'),
    });
  });

  test('with a configuration that cannot be read', async () => {
    process.env['TEMPORAL_CONFIG_FILE'] = new URL(import.meta.url).pathname;
    expect(await codeOf(connect())).toBe('config.invalid');
  });
});

test('a namespace that does not exist', async () => {
  const { connection, close } = await connectTestClient();
  try {
    const temporal = new Client({ connection, namespace: 'nowhere' });
    const client = new AgentOnceClient({ temporal });
    const ref = { agent: 'support', key: 'k' };
    for (const call of [
      () => client.start({ ...ref, input: 'x' }),
      () => client.describe(ref),
      () => client.cancel(ref),
      () => client.result(ref),
      () => client.list()[Symbol.asyncIterator]().next(),
    ]) {
      expect(await codeOf(call())).toBe('temporal.namespace_not_found');
    }
    await expect(client.start({ ...ref, input: 'x' })).rejects.toThrow(
      /"nowhere".*temporal operator namespace create --namespace nowhere/,
    );
  } finally {
    await close();
  }
});

test('a namespace without our search attributes: the command that adds them, and the way round', async () => {
  const namespace = await createTestNamespace({ searchAttributes: false });
  const { connection, close } = await connectTestClient();
  try {
    const temporal = new Client({ connection, namespace });
    const start = (searchAttributes: boolean) =>
      new AgentOnceClient({ temporal, searchAttributes }).start({ agent: 'a', key: 'k' });
    await expect(start(true)).rejects.toMatchObject({
      code: 'temporal.search_attributes_missing',
      message: expect.stringContaining(
        `temporal operator search-attribute create --namespace ${namespace} --name AgentName --type Keyword`,
      ),
    });
    await expect(start(true)).rejects.toThrow(/AGENT_ONCE_SEARCH_ATTRIBUTES=off/);
    expect(await start(false)).toMatchObject({ replayed: false });
  } finally {
    await close();
  }
});

test('a server that goes away while somebody waits', async () => {
  const suite = await startClientSuite();
  const proxy = await startTcpProxy(temporalAddress());
  process.env['TEMPORAL_ADDRESS'] = proxy.address;
  process.env['TEMPORAL_NAMESPACE'] = suite.namespace;
  const { temporal, close } = await connect();
  try {
    const client = new AgentOnceClient({ temporal, requestTimeoutMs: 500 });
    const ref = { agent: 'support', key: 'k' };
    await client.start({ ...ref, input: 'x' });
    await proxy.stop();
    expect(await codeOf(client.describe(ref))).toBe('temporal.unreachable');
    expect(await codeOf(client.cancel(ref))).toBe('temporal.unreachable');
    expect(await codeOf(client.list()[Symbol.asyncIterator]().next())).toBe('temporal.unreachable');
  } finally {
    await close();
    await suite.close();
  }
});
