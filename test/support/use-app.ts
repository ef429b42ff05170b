/** Makes the ledgers of the app's extras known, as the command does. */
import { app } from '../../src/app/compose.ts';
import { registerLedgers } from '../../src/ledger/open-ledger.ts';

registerLedgers(app.extras);
