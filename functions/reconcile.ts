import * as z from 'zod';
import { type Audit, reconcileAnswerSchema } from '../shared/contract.ts';
import { inParallel } from '../shared/core/parallel.ts';
import { readCursor, workingTime, writeCursor } from '../shared/database/jobs.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { accountPage } from '../shared/ledger/accounts.ts';
import { auditAccount } from '../shared/ledger/audit.ts';
import { recordConsoleEdit } from '../shared/ledger/recordConsoleEdit.ts';

const accountsPerPage = 50;
const parallelMax = 8;

/** Records console edits that nobody noticed and reports every account that does not add up; mends nothing else. */
export const reconcile = endpoint({
  method: 'POST',
  access: 'scheduler',
  input: z.looseObject({}),
  answer: reconcileAnswerSchema,
  async run({ log }, services) {
    const ledger = await services.ledger();
    const mayGoOn = workingTime(services.clock);
    const broken: Audit[] = [];
    let [checked, adjusted] = [0, 0];
    let after = await readCursor(ledger, 'reconcile');
    while (mayGoOn()) {
      const accounts = await accountPage(ledger, after, accountsPerPage);
      await inParallel(accounts, parallelMax, async ({ id: uid }) => {
        try {
          if (await recordConsoleEdit(ledger, uid)) adjusted += 1;
        } catch (error) {
          ledger.log.error('An edit could not be recorded', { uid, error });
        }
        const audit = await auditAccount(ledger, uid);
        checked += 1;
        if (!audit || audit.ok) return;
        broken.push(audit);
        ledger.log.error('An account does not add up', { ...audit });
      });
      after = accounts.length < accountsPerPage ? undefined : accounts.at(-1)?.id;
      await writeCursor(ledger, 'reconcile', after);
      if (after === undefined) break;
    }
    log.add({ checked, adjusted, broken: broken.length });
    return { body: { checked, adjusted, broken } };
  },
});
