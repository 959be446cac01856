/**
 * The rules of credit, pure: an account, and everything that can happen to it. They use no clock, no database and no
 * randomness: times and ids are arguments.
 *
 * An admin edits `balance` in the console. `ledgerBalance` is the balance that the ledger last wrote, so a difference
 * between the two is an edit that no entry records yet. Every rule keeps two invariants: the sum of all entries'
 * amounts is `ledgerBalance`, and sequences have no gap.
 */
import { countOf, groupDigits } from '../contract/describe.ts';
import {
  createDocument,
  type FieldUpdates,
  removed,
  updateDocument,
  type Write,
} from '../database/database.ts';
import { Failure } from '../errors.ts';
import { type Account, type AccountData, accountPath, findInvalidField, type HoldLimits } from './account.ts';
import { debitEntryId, type EntryData, entryPath, refundEntryId } from './entries.ts';
import { hasExpired } from './holdDeadline.ts';

/** The windows of the limits per minute and per hour, milliseconds. */
const rateWindowMs = 60_000;
const refundWindowMs = 3_600_000;
/** Seconds after which a user with too many generations in flight may try again. */
const inFlightRetrySeconds = 2;

/** An entry to be created; `createdAt` is the time of its commit's read. */
export type EntryDraft = Omit<EntryData, 'createdAt'> & { id: string };

/** An account after something happened to it, and the entries that record it. */
export type Change = { account: Account; entries: EntryDraft[] };

/** No change. */
export const unchanged = (account: Account): Change => ({ account, entries: [] });

/** Applies one change after another. */
export function andThen(first: Change, next: (account: Account) => Change): Change {
  const second = next(first.account);
  return { account: second.account, entries: [...first.entries, ...second.entries] };
}

/**
 * Records what an admin changed in the console, `balance` and `adjust` together, as one adjustment. An invalid field
 * stays as it is until an admin corrects it, and so does everything while the sequence is wrong.
 */
export function recordEdit(account: Account, actor?: string): Change {
  if (account.balance === null || !account.fitsEntries) return unchanged(account);
  const adjust = findInvalidField(account) === 'adjust' ? undefined : account.adjust;
  const balance = account.balance + (adjust ?? 0);
  const amount = balance - account.ledgerBalance;
  if (amount === 0 && adjust === undefined) return unchanged(account);
  const { note } = account;
  const edited: Account = { ...account, balance, ledgerBalance: balance, note: undefined };
  if (adjust !== undefined) edited.adjust = undefined;
  if (amount === 0) return unchanged(edited);
  edited.sequence += 1;
  const entry: EntryDraft = {
    id: `adjustment:${edited.sequence}`,
    sequence: edited.sequence,
    type: 'adjustment',
    amount,
    balance,
    // The free texts of a closed account are erased, and none is added.
    ...(note && !edited.closedAt && { reason: note }),
    ...(actor && { actor }),
  };
  return { account: edited, entries: [entry] };
}

/**
 * Moves credits by one entry. On an account with an invalid balance only `ledgerBalance` moves: the entry is written,
 * and the admin's correction of the balance becomes an adjustment. A wrong sequence is corrected.
 */
export function move(account: Account, entry: Omit<EntryDraft, 'sequence' | 'balance'>): Change {
  const ledgerBalance = account.ledgerBalance + entry.amount;
  const sequence = account.sequence + 1;
  const balance = account.balance === null ? null : account.balance + entry.amount;
  return {
    account: { ...account, balance, ledgerBalance, sequence },
    entries: [{ ...entry, sequence, balance: ledgerBalance }],
  };
}

/**
 * Adds credits by one entry, and pays off the account's debt with them by another one in the same commit. An admin's
 * adjustment and an allowance pay no debt.
 */
export function addCredits(account: Account, entry: Omit<EntryDraft, 'sequence' | 'balance'>): Change {
  const added = move(account, entry);
  const paid = Math.min(account.debt, entry.amount);
  if (paid <= 0) return added;
  return andThen(added, (current) =>
    move(
      { ...current, debt: current.debt - paid },
      { id: `${entry.id}:debt`, type: 'clawback', amount: -paid },
    ),
  );
}

/** The first grant of an account whose user is verified. */
export function signupGrant(account: Account, credits: number): Change {
  const granted = { ...account, signupDue: false, verified: true };
  if (credits === 0) return unchanged(granted);
  return addCredits(granted, { id: 'signup', type: 'grant', amount: credits, reason: 'signup' });
}

/** Keeps whether the user was verified at the last call: allowances are for verified users. */
export const setVerified = (account: Account, verified: boolean): Change =>
  unchanged(account.verified === verified ? account : { ...account, verified });

export type HoldParams = {
  generationId: string;
  credits: number;
  deadline: Date;
  now: Date;
  limits: HoldLimits;
};

/** Generations that may still be in flight: their deadline has not passed. */
export function inFlight(account: Account, now: Date): string[] {
  return Object.keys(account.active).filter((id) => !hasExpired(account.active[id] as Date, now));
}

/** Refuses a suspended account. */
export function refuseSuspended(account: Pick<Account, 'suspended'>): Failure | undefined {
  return account.suspended ? new Failure('ACCOUNT_SUSPENDED', 'This account is suspended.') : undefined;
}

/** Refuses an account that is closed, or is being closed. @param account undefined if there is none. */
export function refuseClosed(account: Pick<Account, 'closedAt'> | undefined): Failure | undefined {
  return account?.closedAt ? new Failure('ACCOUNT_CLOSED', 'This account is closed.') : undefined;
}

/**
 * Refuses a user who has not accepted the current terms.
 * @param account undefined if there is none. @param version undefined if there are no terms to accept.
 */
export function refuseTerms(
  account: Pick<Account, 'terms'> | undefined,
  version: string | undefined,
): Failure | undefined {
  if (version === undefined || account?.terms?.version === version) return undefined;
  return new Failure('TERMS_NOT_ACCEPTED', 'Please accept the terms first.', { metadata: { version } });
}

/**
 * Refuses a user without a verified e-mail address or a provider's sign-in, unless an admin has given the account credits.
 * @param account undefined if there is none.
 */
export function refuseUnverified(
  account: Account | undefined,
  user: { verified: boolean },
): Failure | undefined {
  const credits = (account?.balance ?? 0) + (account?.adjust ?? 0);
  if (user.verified || credits > 0) return undefined;
  return new Failure('EMAIL_NOT_VERIFIED', 'This needs a verified e-mail address.');
}

/** Refuses a hold by the account's limits, then by its credits. */
export function refuseHold(
  account: Account,
  params: Pick<HoldParams, 'credits' | 'limits' | 'now'>,
): Failure | undefined {
  const { now, limits, credits } = params;
  if (inFlight(account, now).length >= limits.maxInFlightPerUser) {
    return new Failure(
      'RATE_LIMITED',
      `At most ${countOf(limits.maxInFlightPerUser, 'image')} can be generated at once.`,
      {
        retryAfterSeconds: inFlightRetrySeconds,
        metadata: { limit: 'maxInFlightPerUser' },
      },
    );
  }
  const holdWait = findWaitSeconds(account.rate, limits.maxPerMinutePerUser, rateWindowMs, now);
  if (holdWait) {
    return new Failure('RATE_LIMITED', `At most ${countOf(limits.maxPerMinutePerUser, 'image')} a minute.`, {
      retryAfterSeconds: holdWait,
      metadata: { limit: 'maxPerMinutePerUser' },
    });
  }
  const max = limits.maxRefundsPerHourPerUser;
  const refundWait = findWaitSeconds(account.billedRefunds, max, refundWindowMs, now);
  if (refundWait) {
    return new Failure('RATE_LIMITED', 'Too many images have failed. Please try again later.', {
      retryAfterSeconds: refundWait,
      metadata: { limit: 'maxRefundsPerHourPerUser' },
    });
  }
  const balance = account.balance ?? 0;
  return balance < credits ? insufficientCredits(credits, balance) : undefined;
}

/** The refusal of anything that would bring an account below zero. */
export function insufficientCredits(required: number, balance: number): Failure {
  return new Failure(
    'INSUFFICIENT_CREDITS',
    `This takes ${countOf(required, 'credit')}; the account has ${groupDigits(balance)}.`,
    {
      metadata: { required: String(required), balance: String(balance) },
    },
  );
}

/** Later times than `now` can only come from the console. */
function findRecent(times: readonly Date[], windowMs: number, now: Date): Date[] {
  return times.filter((time) => time <= now && time.getTime() > now.getTime() - windowMs);
}

/** Whole seconds until fewer than `max` of the times are within the window; undefined if that is so now. */
function findWaitSeconds(times: readonly Date[], max: number, windowMs: number, now: Date) {
  const recent = findRecent(times, windowMs, now);
  const oldest = recent[recent.length - max];
  return oldest && Math.max(1, Math.ceil((oldest.getTime() + windowMs - now.getTime()) / 1000));
}

/** Takes a generation's price and counts the generation as in flight. */
export function debit(account: Account, params: HoldParams): Change {
  const { generationId, credits, deadline, now } = params;
  const change = move(account, {
    id: debitEntryId(generationId),
    type: 'debit',
    amount: -credits,
    generationId,
  });
  const running = inFlight(account, now).map((id) => [id, account.active[id] as Date] as const);
  const active = { ...Object.fromEntries(running), [generationId]: deadline };
  return {
    ...change,
    account: {
      ...change.account,
      active,
      rate: [...findRecent(account.rate, rateWindowMs, now), now],
      usedAt: now,
    },
  };
}

/** Tops an account up to its allowance and marks the period. There is no entry if nothing is missing. */
export function refill(account: Account, allowance: number, period: string): Change {
  const marked = { ...account, allowancePeriod: period };
  const missing = allowance - (account.balance ?? allowance);
  if (missing <= 0) return unchanged(marked);
  return move(marked, { id: `allowance:${period}`, type: 'allowance', amount: missing });
}

/** Adds credits on an admin's behalf, or takes them. */
export function grantCredits(
  account: Account,
  grant: { id: string; amount: number; reason: string; actor: string; generationId?: string },
): Change {
  return addCredits(account, { type: 'grant', ...grant });
}

export type RefundParams = {
  generationId: string;
  credits: number;
  reason: string;
  /** True if the provider bills the generation, or may: then it counts for the limit per hour. */
  billed: boolean;
  now: Date;
};

/** Refunds a generation's price. */
export function refundCredits(account: Account, params: RefundParams): Change {
  const { generationId, credits, reason, billed, now } = params;
  const change = addCredits(account, {
    id: refundEntryId(generationId),
    type: 'refund',
    amount: credits,
    generationId,
    reason,
  });
  const { [generationId]: _, ...active } = account.active;
  if (!billed) return { ...change, account: { ...change.account, active } };
  const billedRefunds = [...findRecent(account.billedRefunds, refundWindowMs, now), now];
  return { ...change, account: { ...change.account, active, billedRefunds } };
}

/** The writes of a change: the account as it was read, and its new entries, which must not exist yet. */
export function toWrites(before: Account, { account, entries }: Change, now: Date): Write[] {
  const data: FieldUpdates<AccountData> = {
    settled: account.ledgerBalance,
    sequence: account.sequence,
    entryCount: account.sequence,
    active: account.active,
    rate: account.rate,
    updatedAt: now,
  };
  // An invalid balance is the admin's to correct: it is never overwritten.
  if (account.balance !== null) data.balance = account.balance;
  if (before.adjust !== undefined && account.adjust === undefined) data.adjust = removed;
  if (before.note !== undefined && account.note === undefined) data.note = removed;
  if (before.signupDue && !account.signupDue) data.signupDue = removed;
  if (before.verified !== account.verified) data.verified = account.verified;
  if (before.createdAt === undefined) data.createdAt = now;
  if (account.email !== before.email) data.email = account.email ?? removed;
  if (account.suspended !== before.suspended) data.suspended = account.suspended;
  if (account.suspendedAt !== before.suspendedAt) data.suspendedAt = account.suspendedAt ?? removed;
  if (account.restoredAt !== before.restoredAt) data.restoredAt = account.restoredAt ?? removed;
  if (account.closedAt !== before.closedAt) data.closedAt = account.closedAt ?? removed;
  for (const field of before.strayFields) {
    if (!account.strayFields.includes(field)) Object.assign(data, { [field]: removed });
  }
  if (account.identities !== before.identities) data.identities = [...account.identities];
  if (account.debt !== before.debt) data.debt = account.debt;
  if (account.customers !== before.customers) data.customers = account.customers;
  if (account.suspendedFor !== before.suspendedFor) data.suspendedFor = account.suspendedFor;
  if (account.billedRefunds !== before.billedRefunds) data.billedRefunds = account.billedRefunds;
  if (account.usedAt !== undefined && account.usedAt !== before.usedAt) data.usedAt = account.usedAt;
  if (account.terms !== undefined && account.terms !== before.terms) data.terms = account.terms;
  if (account.allowancePeriod !== undefined && account.allowancePeriod !== before.allowancePeriod) {
    data.allowancePeriod = account.allowancePeriod;
  }
  return [
    updateDocument(accountPath(account.uid), data, before.version),
    ...entries.map(({ id, ...entry }) =>
      createDocument(entryPath(account.uid, id), { ...entry, createdAt: now }),
    ),
  ];
}
