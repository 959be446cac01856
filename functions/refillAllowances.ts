import * as z from 'zod';
import { refillAnswerSchema } from '../shared/contract.ts';
import { inParallel } from '../shared/core/parallel.ts';
import { readCursor, workingTime, writeCursor } from '../shared/database/jobs.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { accountPage } from '../shared/ledger/accounts.ts';
import { periodAt } from '../shared/ledger/allowancePeriod.ts';
import { refillAllowance } from '../shared/ledger/refillAllowance.ts';

const accountsPerPage = 100;
const parallelMax = 8;
/** Accounts that were not used for so long get no allowance. */
const usedWithinMs = 90 * 86_400_000;

/** Tops accounts up to their allowance, once each in a period. */
export const refillAllowances = endpoint({
  method: 'POST',
  access: 'scheduler',
  input: z.looseObject({}),
  answer: refillAnswerSchema,
  async run({ log }, { ledger: createLedger, config, clock }) {
    const ledger = await createLedger();
    const { credits, period } = config.allowance;
    const { name } = periodAt(period, new Date(clock.now()));
    const usedSince = new Date(clock.now() - usedWithinMs);
    const mayGoOn = workingTime(clock);
    let [checked, refilled] = [0, 0];
    let after = await readCursor(ledger, 'refillAllowances');
    while (mayGoOn()) {
      const accounts = await accountPage(ledger, after, accountsPerPage);
      await inParallel(accounts, parallelMax, async ({ id: uid, data }) => {
        checked += 1;
        const isInUse = data.usedAt instanceof Date && data.usedAt >= usedSince;
        const hasNone = (data.allowance ?? credits) === 0;
        if (!isInUse || hasNone || data.allowancePeriod === name) return;
        try {
          if (await refillAllowance(ledger, uid, name, credits)) refilled += 1;
        } catch (error) {
          ledger.log.error('An allowance could not be given', { uid, error });
        }
      });
      after = accounts.length < accountsPerPage ? undefined : accounts.at(-1)?.id;
      await writeCursor(ledger, 'refillAllowances', after);
      if (after === undefined) break;
    }
    log.add({ checked, refilled });
    return { body: { checked, refilled } };
  },
});
