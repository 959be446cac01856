import { parseAccountEvent } from '../shared/database/accountEvent.ts';
import type { EventHandler } from '../shared/http/endpoint.ts';
import { createRequestLog } from '../shared/http/requestLog.ts';
import { recordConsoleEdit } from '../shared/ledger/recordConsoleEdit.ts';
import { findUnknownUsers } from '../shared/ledger/unknownUsers.ts';
import type { Services } from '../shared/services.ts';

/**
 * Turns an admin's edit in the console into a ledger entry within seconds. The event alone shows whether the ledger
 * itself wrote the document, so that needs no read. Events may come twice and out of order, so only the current
 * account counts. A failed event is delivered again.
 */
export const accountWritten =
  (services: Services, name: string): EventHandler =>
  async (event) => {
    const log = createRequestLog(services, name);
    const { uid, actor, hasNoEdit } = parseAccountEvent(event);
    if (hasNoEdit) return; // The ledger's own write, which it has logged already.
    const { recorded, changed } = await recordConsoleEdit(await services.ledger(), uid, actor);
    log.add({ uid, recorded });
    if (changed) await findUnknownUsers((await services.users())?.lookUp, services.log, [uid]);
    log.ok();
  };
