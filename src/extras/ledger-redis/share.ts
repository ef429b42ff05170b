import type { ShareAnswer, ShareRequest } from '../../ledger/port.ts';
import { list, type Connection } from './connection.ts';
import { keys } from './keys.ts';
import { loadScript } from './script.ts';

const SHARE = loadScript('share');

/** See `Ledger.share`. One round trip where nobody else owns the share, two where somebody does. */
export async function shareStep(
  connection: Connection,
  request: ShareRequest,
): Promise<ShareAnswer> {
  const { name, scope, step, windowMs, leaseMs } = request;
  let owner = { scope, step };
  for (;;) {
    const reply = await connection.run(
      SHARE,
      [
        keys.share(name),
        keys.step(owner.scope, owner.step),
        keys.retired(owner.scope),
        keys.shares(scope),
      ],
      [scope, step, windowMs, leaseMs, owner.scope, owner.step],
    );
    const [answer, ...names] = list(reply).map(String);
    const [ownerScope = '', ownerStep = '', firstScope = '', firstStep = '', round = '0'] = names;
    owner = { scope: ownerScope, step: ownerStep };
    if (answer === 'guess') continue;
    return {
      mine: answer === 'mine',
      owner,
      first: { scope: firstScope, step: firstStep },
      round: Number(round),
    };
  }
}
