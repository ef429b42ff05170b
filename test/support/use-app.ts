/** Makes the ledgers of the app's extras known, as the command does. */
import { app } from '../../src/app/compose.ts';
import { registerPlugins } from '../../src/client/plugins.ts';
import { registerLedgers } from '../../src/ledger/open-ledger.ts';

registerLedgers(app.extras);
registerPlugins(app.extras);
