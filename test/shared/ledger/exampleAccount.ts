/** An account of 10 credits and the terms of a hold, for tests of the rules of credit. */
import type { Data, StoredDocument, Version } from '../../../shared/database/database.ts';
import { parseAccount } from '../../../shared/ledger/account.ts';
import type { RefundParams } from '../../../shared/ledger/creditChanges.ts';
import type { HoldParams } from '../../../shared/ledger/refusals.ts';

/** The largest valid balance: a double counts up to MAX_SAFE_INTEGER, and a refund must still fit. */
export const creditsLimit = Number.MAX_SAFE_INTEGER - 1_000_000_000_000;

export const version: Version = { isEqual: () => true };
export const now = new Date('2026-11-22T12:00:00Z');
export const seconds = (after: number) => new Date(now.getTime() + after * 1000);
export const document = (data: Data): StoredDocument => ({ path: 'accounts/u', id: 'u', data, version });
export const account = (data: Data = {}) =>
  parseAccount(document({ balance: 10, settled: 10, sequence: 3, createdAt: now, ...data }));
export const terms = (more: Partial<HoldParams> = {}): HoldParams => ({
  generationId: 'g',
  credits: 1,
  deadline: seconds(180),
  now,
  limits: { maxInFlightPerUser: 2, maxPerMinutePerUser: 3, maxRefundsPerHourPerUser: 1_000 },
  ...more,
});
/** A refund of a generation that cost the provider nothing. */
export const unbilled = (generationId: string, credits: number, reason: string): RefundParams => ({
  generationId,
  credits,
  reason,
  billed: false,
  now,
});
