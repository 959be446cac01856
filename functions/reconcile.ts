import * as z from 'zod';
import { type Audit, reconcileAnswerSchema } from '../shared/contract.ts';
import { createWorkingTime } from '../shared/database/jobs.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { auditAccount } from '../shared/ledger/audit.ts';
import { forEachAccount } from '../shared/ledger/forEachAccount.ts';
import { recordConsoleEdit } from '../shared/ledger/recordConsoleEdit.ts';

/** Records console edits that are not recorded yet, and reports every account that does not add up. It fixes nothing else. */
export const reconcile = endpoint({
  method: 'POST',
  access: 'scheduler',
  input: z.looseObject({}),
  answer: reconcileAnswerSchema,
  async run({ log }, services) {
    const ledger = await services.ledger();
    const broken: Audit[] = [];
    const counts = { checked: 0, adjusted: 0 };
    await forEachAccount(ledger, 'reconcile', createWorkingTime(services.clock), async (uid) => {
      const recorded = await recordConsoleEdit(ledger, uid).catch((error) => {
        ledger.log.error('An edit could not be recorded', { uid, error });
      });
      if (recorded) counts.adjusted += 1;
      const audit = await auditAccount(ledger, uid);
      counts.checked += 1;
      if (!audit || audit.ok) return;
      broken.push(audit);
      ledger.log.error('An account does not add up', { event: 'account_broken', ...audit });
    });
    log.add({ ...counts, broken: broken.length });
    return { body: { ...counts, broken } };
  },
});
