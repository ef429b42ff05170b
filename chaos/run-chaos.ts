import { setTimeout as sleep } from 'node:timers/promises';
import { createRegistry } from '../src/define/registry.ts';
import { AgentOnceClient } from '../src/client/agent-once-client.ts';
import { connect } from '../src/client/connect.ts';
import { readExecutions, readLedger, readModelRequests, type Evidence } from './evidence.ts';
import { nameFault, planFaults, type Fault } from './faults.ts';
import { Injector } from './inject.ts';
import type { ChaosOptions } from './options.ts';
import { LedgerWatch } from './ledger-watch.ts';
import { longestLease } from './longest-lease.ts';
import { DOOMED, isRunDue } from './pace.ts';
import { hirePerson } from './person.ts';
import { prepareDatabase } from './prepare-database.ts';
import { createRandom } from './random.ts';
import type { Report } from './report.ts';
import { RunFeed } from './run-feed.ts';
import { loadScenario } from './scenario.ts';
import { startChaosServers } from './servers.ts';
import { startShop } from './shop.ts';
import { startStarters } from './starters.ts';
import { judge } from './verdict.ts';
import { startWorkers } from './workers.ts';

/** Client processes: each starts every request, more than once. */
const STARTERS = 2;
/** For a step to reach the place where a planned fault waits for it; faults that are named must happen. */
const PATIENCE_MS = 60_000;
const PATIENCE_WITH_NAMED_MS = 300_000;
/** When no run has ended for this long, none will. */
const STUCK_AFTER_MS = 150_000;

/**
 * Torments a system of its own and judges it.
 *
 * @param tell is called with what is being done, and often
 * @param signal ends everything early; the promise rejects with its reason
 */
export async function runChaos(
  options: ChaosOptions,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<Report> {
  const began = Date.now();
  const scenario = await loadScenario(options.scenario);
  const registry = createRegistry(scenario.agents, { defaultModel: 'scripted' });
  const classes = Object.fromEntries(registry.tools().map(({ name, effect }) => [name, effect]));
  const approved = new Set(
    registry
      .tools()
      .filter(({ definition }) => definition.approval === 'always')
      .map(({ name }) => name),
  );
  const random = createRandom(options.seed);
  const faults = options.faults ?? planFaults(options.kills, Object.keys(classes), random);

  const closes: (() => Promise<unknown>)[] = [];
  const interrupted = new Promise<never>((_resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  interrupted.catch(() => undefined);
  const opened = async <T>(part: Promise<T>, close: (part: T) => Promise<unknown>): Promise<T> => {
    const made = await part;
    closes.push(() => close(made));
    signal.throwIfAborted();
    return made;
  };

  const torment = async (): Promise<Report> => {
    tell('Starting Temporal, PostgreSQL, the model, the shop, clients and workers …');
    const servers = await opened(startChaosServers(options.keep), (all) => all.stop());
    await prepareDatabase(servers.ledgerUrl, scenario);
    // Numbers of its own: how many it takes depends on what happens.
    const shop = await opened(
      startShop(scenario.effectOf, classes, createRandom(options.seed + 1)),
      (it) => it.stop(),
    );
    Object.assign(process.env, {
      TEMPORAL_ADDRESS: servers.temporalAddress,
      TEMPORAL_NAMESPACE: 'default',
    });
    const { temporal } = await opened(connect(), (it) => it.close());
    const scenarioEnv: Record<string, string> =
      options.scenario === undefined ? {} : { CHAOS_SCENARIO: options.scenario };
    const starters = await opened(
      startStarters(STARTERS, { TEMPORAL_ADDRESS: servers.temporalAddress, ...scenarioEnv }),
      (it) => it.stop(),
    );
    const workers = await opened(
      startWorkers(servers, options.workers, {
        CHAOS_SHOP_URL: shop.url,
        // The example's tools find it there.
        SHOP_URL: shop.url,
        ...scenarioEnv,
      }),
      (it) => it.kill(),
    );
    const client = new AgentOnceClient({ temporal });
    const feed = new RunFeed(scenario, starters, random);
    const person = await opened(
      Promise.resolve(
        hirePerson(client, {
          lookUp(key, tool) {
            const label = feed.expected(key, tool)?.label;
            return shop.effects.findLast(
              (effect) => effect.tool === tool && effect.label === label,
            );
          },
          denies: (key, tool) => feed.expected(key, tool)?.denied === true,
        }),
      ),
      (it) => it.stop(),
    );

    const leaseMs = longestLease(registry);
    const ledger = await opened(Promise.resolve(new LedgerWatch(servers.ledgerUrl)), (it) =>
      it.close(),
    );
    const injector = new Injector({
      servers,
      workers,
      shop,
      ledger,
      workflowOf: (effect) => feed.workflowOf(effect),
      leaseMs,
      patienceMs: options.faults === undefined ? PATIENCE_MS : PATIENCE_WITH_NAMED_MS,
      announces: scenario.announces === true,
      random,
    });
    const stuck = await work(options, faults, feed, injector, (line) => tell(line));
    tell('Letting late ones finish …');
    await sleep(leaseMs);
    await workers.end();
    await person.stop();

    tell('Counting …');
    const [{ steps, rows }, modelRequests, executions] = await Promise.all([
      readLedger(servers.ledgerUrl, scenario.effectRows),
      readModelRequests(servers.modelUrl),
      readExecutions(temporal),
    ]);
    const effects = [...shop.effects, ...rows];
    const runs = feed.evidence();
    const { kills, zombies, byName, missed } = injector.injected;
    const evidence: Evidence = {
      classes,
      approved,
      runs,
      effects,
      zombies,
      modelRequests,
      steps,
      executions,
    };
    return {
      seed: options.seed,
      runs: runs.length,
      starts: feed.starts,
      kills,
      zombies: new Set(zombies.map(({ pid }) => pid)).size,
      workers: workers.started(),
      droppedAnswers: shop.dropped(),
      answersOfPeople: Object.fromEntries(person.answers),
      stuck,
      schedule: faults.map(nameFault),
      faults: Object.fromEntries(byName),
      missed,
      seconds: Math.round((Date.now() - began) / 1_000),
      ...judge(evidence),
    };
  };

  const tormenting = torment();
  // Interrupted, it goes on failing while its servers are taken away.
  tormenting.catch(() => undefined);
  try {
    return await Promise.race([tormenting, interrupted]);
  } finally {
    for (let close = closes.pop(); close !== undefined; close = closes.pop()) {
      // What cannot be closed in order ends with this process.
      await close().catch(() => undefined);
    }
  }
}

/** Starts runs and does faults, at one pace; whether it had to give up. */
async function work(
  options: ChaosOptions,
  faults: readonly Fault[],
  feed: RunFeed,
  injector: Injector,
  tell: (line: string) => void,
): Promise<boolean> {
  const { runs, concurrency } = options;
  const points = faults.filter(({ kind }) => kind === 'point');
  const others = faults.filter(({ kind }) => kind !== 'point');
  let done = 0;
  let over = false;
  const isDone = () => done === faults.length;

  const lane = async (queue: Fault[]): Promise<void> => {
    for (let fault = queue.shift(); fault !== undefined && !over; fault = queue.shift()) {
      // Not ahead of the runs: the last faults must meet some.
      while (
        !over &&
        (feed.open === 0 || feed.ended + concurrency < (runs * done) / faults.length)
      ) {
        await sleep(50);
      }
      await injector.inject(fault);
      done += 1;
    }
  };
  const feeding = async (): Promise<boolean> => {
    for (;;) {
      const counts = {
        runs,
        concurrency,
        faults: faults.length,
        done,
        started: feed.started,
        open: feed.open,
      };
      if (isRunDue(counts)) {
        feed.startNext();
        continue;
      }
      if (isDone() && feed.started >= runs && feed.open === 0) return false;
      if (Date.now() - feed.lastChange > STUCK_AFTER_MS) return true;
      tell(
        `${feed.ended} of ${Math.max(runs, feed.started)} runs · ${feed.open} open · ${done} of ${faults.length} faults · ${injector.injected.kills} killed`,
      );
      await sleep(100);
    }
  };
  const lanes = [others, ...Array.from({ length: DOOMED }, () => points)].map((queue) =>
    lane(queue),
  );
  try {
    const fed = feeding();
    // A fault that cannot be done ends it all, at once.
    return await Promise.race([fed, Promise.all(lanes).then(() => fed)]);
  } finally {
    over = true;
  }
}
