/** The settings of a ledger that a test makes for itself. */
import type { LedgerSettings } from '../../shared/ledger/ledger.ts';
import { tierCredits } from './tierCredits.ts';

/** No signup credits, no allowance, the default prices, and generous limits. */
export const createLedgerSettings = (settings: Partial<LedgerSettings> = {}): LedgerSettings => ({
  signupCredits: 0,
  disposableEmailCredits: 0,
  allowance: { credits: 0, period: 'month' },
  tierCredits,
  limits: { maxInFlightPerUser: 1_000, maxPerMinutePerUser: 10_000, maxRefundsPerHourPerUser: 1_000 },
  holdMs: 1,
  ...settings,
});
