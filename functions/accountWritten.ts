import { readAccountEvent } from '../shared/accountEvent.ts';
import type { EventHandler } from '../shared/endpoint.ts';
import { recordConsoleEdit } from '../shared/ledger/recordEdit.ts';
import type { Studio } from '../shared/studio.ts';

/**
 * Turns an admin's edit in the console into a ledger entry within seconds. What the ledger itself wrote
 * is told by the event alone, without a look at the database. Events may come twice and out of order:
 * it is the account as it stands that counts.
 */
export const accountWritten =
  (studio: Studio, name: string): EventHandler =>
  async (event) => {
    try {
      const { uid, actor, settled } = readAccountEvent(event);
      if (settled) return;
      const recorded = await recordConsoleEdit(await studio.books(), uid, actor);
      studio.log.info(`${name}: ok`, { function: name, outcome: 'ok', uid, recorded });
    } catch (error) {
      studio.log.error(`${name}: failed`, {
        function: name,
        outcome: 'error',
        document: event.document,
        error,
      });
      throw error; // So that the event is delivered again.
    }
  };
