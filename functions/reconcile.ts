import * as z from 'zod';
import { lookupUidsMax } from '../shared/auth/users.ts';
import type { Audit } from '../shared/contract/admin.ts';
import { reconcileAnswerSchema } from '../shared/contract/jobs.ts';
import { createWorkingTime, finishJob } from '../shared/database/jobs.ts';
import { logSpoiltItems } from '../shared/generation/sweep.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { strayStateWarnings } from '../shared/imagegen/strayStates.ts';
import { parseAccount } from '../shared/ledger/account.ts';
import { auditOrReport } from '../shared/ledger/audit.ts';
import { forEachAccount } from '../shared/ledger/forEachAccount.ts';
import { recordConsoleEdit } from '../shared/ledger/recordConsoleEdit.ts';
import { findUnknownUsers } from '../shared/ledger/unknownUsers.ts';
import { closeMissing } from '../shared/people/missingUsers.ts';

/**
 * Records console edits that are not recorded yet, and reports every account that does not add up or has no user, and states
 * of models that were mistyped. It logs spoilt items of the outbox. It closes an account if its user was missing before, and
 * fixes nothing else.
 */
export const reconcile = endpoint({
  method: 'POST',
  access: 'scheduler',
  input: z.looseObject({}),
  answer: reconcileAnswerSchema,
  async run({ log }, services) {
    const ledger = await services.ledger();
    const lookUp = (await services.users())?.lookUp;
    const broken: Audit[] = [];
    const counts = { checked: 0, adjusted: 0 };
    /** Audits of accounts whose users are not looked up yet. */
    const audits: Audit[] = [];

    async function report(): Promise<void> {
      const reported = audits.splice(0);
      const uids = reported.map(({ uid }) => uid);
      const missing = await findUnknownUsers(lookUp, ledger.log, uids);
      const unknown = new Set(missing);
      broken.push(
        ...reported
          .map((audit) => (unknown.has(audit.uid) ? withoutUser(audit) : audit))
          .filter(({ ok }) => !ok),
      );
      if (missing) await closeMissing(ledger, uids, missing);
    }

    const workingTime = createWorkingTime(services.clock);
    await forEachAccount(ledger, 'reconcile', workingTime, async (uid, document) => {
      const edit = await recordConsoleEdit(ledger, uid).catch((error) => {
        ledger.log.error('An edit could not be recorded', { uid, error });
      });
      if (edit?.recorded) counts.adjusted += 1;
      const audit = await auditOrReport(ledger, uid);
      counts.checked += 1;
      if (!audit) return;
      if (!audit.ok) ledger.log.error('An account does not add up', { event: 'account_broken', ...audit });
      if (parseAccount(document).closedAt) {
        // It has no user any more.
        if (!audit.ok) broken.push(audit);
        return;
      }
      audits.push(audit);
      if (audits.length === lookupUidsMax) await report();
    });
    await report();
    await logSpoiltItems(ledger, workingTime);
    const warnings = await strayStateWarnings(ledger, services.config);
    for (const warning of warnings) services.log.warning(warning);
    log.add({ ...counts, broken: broken.length });
    await finishJob(ledger, 'reconcile', log, workingTime);
    return { body: { ...counts, broken } };
  },
});

const withoutUser = (audit: Audit): Audit => ({
  ...audit,
  ok: false,
  differences: [...audit.differences, 'Firebase Authentication knows no such user'],
});
