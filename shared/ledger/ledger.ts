/** The ledger: a database, the retries of its commits, and the settings of credit. */
import type { Tier } from '../contract/tiers.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../database/database.ts';
import { createRetryCommit, type RetryCommit } from '../database/retryCommit.ts';
import type { HoldLimits } from './account.ts';
import type { AllowanceSettings } from './allowance.ts';

export type LedgerSettings = {
  signupCredits: number;
  /** The signup credits of a person with a throw-away address. */
  disposableEmailCredits: number;
  allowance: AllowanceSettings;
  /** The price of an image of each tier. */
  tierCredits: Record<Tier, number>;
  limits: HoldLimits;
  /** The terms that a user must have accepted; undefined: none. */
  termsVersion?: string | undefined;
  /** From a hold to the deadline after which anyone may refund it, milliseconds. */
  holdMs: number;
};

export type Ledger = { database: Database; log: Log; settings: LedgerSettings; retryCommit: RetryCommit };

export function createLedger(database: Database, settings: LedgerSettings, log: Log, clock: Clock): Ledger {
  return { database, log, settings, retryCommit: createRetryCommit(clock) };
}
