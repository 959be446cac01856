import * as z from 'zod';
import { refillAnswerSchema } from '../shared/contract/jobs.ts';
import { createWorkingTime, finishJob } from '../shared/database/jobs.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { parseAccount } from '../shared/ledger/account.ts';
import { findDueAllowance } from '../shared/ledger/allowance.ts';
import { getPeriod } from '../shared/ledger/allowancePeriod.ts';
import { forEachAccount } from '../shared/ledger/forEachAccount.ts';
import { refillAllowance } from '../shared/ledger/refillAllowance.ts';

/** Accounts that have not been used for this long get no allowance. */
const usedWithinMs = 90 * 86_400_000;

/** Tops accounts up to their allowance, once each in a period. The next call of a user does the same. */
export const refillAllowances = endpoint({
  method: 'POST',
  access: 'scheduler',
  input: z.looseObject({}),
  answer: refillAnswerSchema,
  async run({ log }, { ledger: getLedger, config, clock }) {
    const ledger = await getLedger();
    const { credits, period } = config.allowance;
    const { name } = getPeriod(period, new Date(clock.now()));
    const usedSince = new Date(clock.now() - usedWithinMs);
    const counts = { checked: 0, refilled: 0 };
    const workingTime = createWorkingTime(clock);
    await forEachAccount(ledger, 'refillAllowances', workingTime, async (uid, document) => {
      counts.checked += 1;
      const account = parseAccount(document);
      const isInUse = account.usedAt !== undefined && account.usedAt >= usedSince;
      if (!isInUse || findDueAllowance(account, credits, name) === 0) return;
      if (await refillAllowance(ledger, uid)) counts.refilled += 1;
    });
    log.add(counts);
    await finishJob(ledger, 'refillAllowances', log, workingTime);
    return { body: counts };
  },
});
