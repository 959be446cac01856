import { readAccountEvent } from '../shared/database/accountEvent.ts';
import type { EventHandler } from '../shared/http/endpoint.ts';
import { createRequestLog } from '../shared/http/requestLog.ts';
import { recordConsoleEdit } from '../shared/ledger/recordConsoleEdit.ts';
import type { Services } from '../shared/services.ts';

/**
 * Turns an admin's edit in the console into a ledger entry within seconds. What the ledger itself wrote
 * is told by the event alone, without a look at the database. Events may come twice and out of order:
 * it is the account as it stands that counts. One that fails is delivered again.
 */
export const accountWritten =
  (services: Services, name: string): EventHandler =>
  async (event) => {
    const log = createRequestLog(services, name);
    const { uid, actor, settled } = readAccountEvent(event);
    if (settled) return; // The echo of a line that the ledger has logged already.
    log.add({ uid, recorded: await recordConsoleEdit(await services.ledger(), uid, actor) });
    log.ok();
  };
