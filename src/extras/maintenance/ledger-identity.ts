import type { Command } from 'commander';
import { AgentOnceError } from '../../contract/errors.ts';
import type { LedgerContents, LedgerKeeper } from '../../ledger/keeper.ts';
import type { LedgerIdentity } from '../../ledger/port.ts';

interface LedgerFlags {
  json?: true;
  yes?: true;
  lost?: string;
}

const EXIT_CODES = `
Exit codes:
  0  done                          6  the ledger cannot be reached or used
  2  wrong usage, or not sure`;

/** `agent-once ledger show`, `accept-restore`, `move`: who the ledger is, after a restore or a move. */
export function registerLedgerIdentity(ledger: Command): void {
  ledger
    .command('show')
    .summary('its identity, and what it holds')
    .description('Shows who the ledger is, which ones it stands in for, and what it holds.')
    .option('--json', 'print one JSON document')
    .addHelpText('after', EXIT_CODES)
    .action((flags: LedgerFlags) => runShow(flags));
  ledger
    .command('accept-restore')
    .summary('let runs go on in a ledger that was restored')
    .description(
      'Says that the ledger, as it is now, is the one: runs go on that have recorded more than it holds. What is lost is done again, but for effects that may have happened: of those that run at most once a person is asked, and those that can be looked up are. Effects with a key are sent again under the same key.',
    )
    .option(
      '--lost <id>',
      'the ledger of this identity is lost for good, and this one takes its place',
    )
    .option('--yes', 'do not ask; needed where nobody can be asked')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Do it once for each restore. Each time, every call that the runs have under way is doubted anew.

Examples:
  $ agent-once ledger accept-restore
  $ agent-once ledger accept-restore --lost 6f0f2c4e-3a57-4f0e-9a59-0d6a3a8f1d11 --yes
${EXIT_CODES}`,
    )
    .action((flags: LedgerFlags) => runAccept(flags));
  ledger
    .command('move')
    .summary('close the old copy of a ledger that was moved')
    .description(
      'Closes the ledger at LEDGER_OLD_URL for good, after its database was copied to the one at LEDGER_URL with all workers stopped: a worker that still uses the old one does nothing there. Refused where the copy lacks something.',
    )
    .option('--yes', 'do not ask; needed where nobody can be asked')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  $ LEDGER_OLD_URL=postgres://old/agent_once LEDGER_URL=postgres://new/agent_once agent-once ledger move
${EXIT_CODES}`,
    )
    .action((flags: LedgerFlags) => runMove(flags));
}

async function runShow(flags: LedgerFlags): Promise<void> {
  const { keeper, tell } = await open();
  try {
    const identity = await keeper.identity();
    tell(flags, identity, await keeper.contents());
  } finally {
    await keeper.close();
  }
}

async function runAccept(flags: LedgerFlags): Promise<void> {
  const { lost } = flags;
  if (lost !== undefined && !UUID.test(lost)) {
    throw new AgentOnceError(
      'usage',
      '--lost takes the identity of a ledger, a UUID, as the error ledger.restored names it. Nothing was changed.',
    );
  }
  const { keeper, tell } = await open();
  try {
    const { closedAt } = await keeper.identity();
    await makeSure(
      flags,
      closedAt === null
        ? 'Let runs go on that have recorded more than this ledger holds?'
        : 'This ledger was closed when its runs moved to a copy. If the copy is in use, effects will be repeated. Open it again, and let runs go on that have recorded more than it holds?',
    );
    tell(flags, await keeper.acceptRestore(lost?.toLowerCase()), await keeper.contents());
  } finally {
    await keeper.close();
  }
}

async function runMove(flags: LedgerFlags): Promise<void> {
  const { readConfig } = await import('../../config.ts');
  const { ledgerOldUrl } = readConfig();
  if (ledgerOldUrl === undefined) {
    throw new AgentOnceError(
      'usage',
      'Set LEDGER_OLD_URL to the ledger that the runs leave, and LEDGER_URL to its copy. Nothing was changed.',
    );
  }
  const { keeper: copy, openLedgerKeeper, tell } = await open();
  let old: LedgerKeeper | undefined;
  try {
    old = await openLedgerKeeper(ledgerOldUrl);
    const { id, closedAt } = await copy.identity();
    const before = await old.identity();
    if (closedAt !== null) {
      throw new AgentOnceError(
        'ledger.invalid',
        'The copy at LEDGER_URL is closed itself. Nothing was changed. Copy the ledger while it is in use; or, where this is all that is left of it, run "agent-once ledger accept-restore" with this LEDGER_URL.',
      );
    }
    if (before.id !== id) {
      throw new AgentOnceError(
        'ledger.invalid',
        `The ledger at LEDGER_URL (${id}) is no copy of the one at LEDGER_OLD_URL (${before.id}). Nothing was changed.`,
      );
    }
    await makeSure(flags, 'Close the old ledger, so that no worker uses it any more?');
    await old.shut();
    let has: LedgerContents;
    try {
      has = await wholeCopy(copy, old);
    } catch (error) {
      // Closed by an earlier move, it stays so.
      if (before.closedAt === null) await old.reopen();
      throw error;
    }
    tell(flags, await copy.identity(), has);
  } finally {
    await Promise.all([copy.close(), old?.close()]);
  }
}

/**
 * What the copy holds, which nothing is added to the old one behind: that is closed by now.
 *
 * @throws {AgentOnceError} `ledger.invalid`: it is no whole copy
 */
async function wholeCopy(copy: LedgerKeeper, old: LedgerKeeper): Promise<LedgerContents> {
  if ((await copy.identity()).closedAt !== null) {
    throw new AgentOnceError(
      'ledger.invalid',
      'LEDGER_URL and LEDGER_OLD_URL name the same ledger. Nothing was changed.',
    );
  }
  const [had, has] = [await old.contents(), await copy.contents()];
  if (!lacks(has, had)) return has;
  throw new AgentOnceError(
    'ledger.invalid',
    `The copy at LEDGER_URL lacks something: it has ${described(has)}, the ledger at LEDGER_OLD_URL has ${described(had)}. Nothing was changed. Stop all workers, copy it again, then repeat this.`,
  );
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

async function open() {
  const [{ readConfig }, { openLedgerKeeper }, { print, printJson }] = await Promise.all([
    import('../../config.ts'),
    import('../../ledger/open-ledger.ts'),
    import('../../cli/output.ts'),
  ]);
  const tell = (flags: LedgerFlags, identity: LedgerIdentity, contents: LedgerContents): void => {
    if (flags.json) printJson({ ...identity, ...contents });
    else for (const line of draw(identity, contents)) print(line);
  };
  // As a user with more rights than a worker's, where there is one.
  const { ledgerMigrateUrl, ledgerUrl } = readConfig();
  const keeper = await openLedgerKeeper(ledgerMigrateUrl ?? ledgerUrl);
  return { keeper, openLedgerKeeper, tell };
}

function draw({ id, standsInFor, closedAt }: LedgerIdentity, contents: LedgerContents): string[] {
  return [
    `ledger  ${id}`,
    `holds   ${described(contents)}`,
    ...(standsInFor.length === 0 ? [] : [`stands in for ${standsInFor.join(', ')}`]),
    ...(closedAt === null ? [] : [`closed  ${closedAt}: its runs have moved to a copy`]),
  ];
}

function described({ steps, changedAt }: LedgerContents): string {
  const count = steps === 1 ? '1 step' : `${steps} steps`;
  return changedAt === null ? count : `${count}, the last change at ${changedAt}`;
}

function lacks(copy: LedgerContents, old: LedgerContents): boolean {
  return copy.steps < old.steps || (old.changedAt ?? '') > (copy.changedAt ?? '');
}

async function makeSure({ yes }: LedgerFlags, question: string): Promise<void> {
  if (yes) return;
  const { canAsk, confirm } = await import('../../cli/confirm.ts');
  if (!canAsk()) {
    throw new AgentOnceError('usage', `Nobody can be asked here: add --yes. Nothing was changed.`);
  }
  if (!(await confirm(question))) {
    throw new AgentOnceError('usage', 'Nothing was changed.');
  }
}
