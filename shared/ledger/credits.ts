/**
 * The rules of credit, pure: an account as it is read, and each thing that can happen to it.
 * No clock, no database, no randomness: the time and the ids are arguments.
 *
 * `balance` is the admin's to edit in the console and `settled` is the balance the ledger last wrote,
 * so `balance ≠ settled` is an edit that no entry accounts for yet. Every change here keeps the books:
 * the sum of all entries' amounts is `settled`, and sequences have no gap.
 */
import type { EntryType } from '../contract.ts';
import {
  type Data,
  isDocumentId,
  removed,
  type StoredDocument,
  type Version,
  type Write,
} from '../database/database.ts';
import { Failure } from '../errors.ts';

/** The most that a grant may bring a balance to: far below where a double stops counting in ones. */
export const creditsMax = 1_000_000_000_000;
/** The most that an admin may write: what refunds add to it must still be counted in ones. */
const balanceMax = Number.MAX_SAFE_INTEGER - creditsMax;
/** The window of the limit per minute, milliseconds. */
const rateWindowMs = 60_000;
/** Seconds after which a user with too many generations in flight may look again. */
const inFlightRetrySeconds = 2;
/** Longest reason kept with an entry, in UTF-16 units. */
const reasonCharactersMax = 500;

/** An account whose books the ledger keeps, as last read. */
export type Account = {
  uid: string;
  version: Version;
  /** Null where the console holds something that is no whole number ≥ 0: left to the admin. */
  balance: number | null;
  settled: number;
  sequence: number;
  /** An admin's signed addition; null where it is no whole number. */
  adjust: number | null | undefined;
  note: string | undefined;
  email: string | undefined;
  /** Generation id → deadline; may name finished ones. */
  active: Record<string, Date>;
  /** When each hold of the last minute was made, oldest first. */
  rate: Date[];
  suspended: boolean;
  signupDue: boolean;
  /** This account's own allowance, over the environment's. */
  allowance: number | undefined;
  /** The last period whose allowance it has had. */
  allowancePeriod: string | undefined;
  /** When it was last used, to the day or better. */
  usedAt: Date | undefined;
  createdAt: Date | undefined;
};

export type EntryDraft = {
  id: string;
  sequence: number;
  type: EntryType;
  amount: number;
  balance: number;
  generationId?: string;
  reason?: string;
  actor?: string;
};

/** An account after something happened to it, and the entries that tell of it. */
export type Change = { account: Account; entries: EntryDraft[] };

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
const isCredits = (value: unknown): value is number => isWhole(value) && value >= 0 && value <= balanceMax;
const isDate = (value: unknown): value is Date => value instanceof Date;

/** Whether the ledger keeps this account's books already; one made by hand in the console it does not. */
export function isOpened(document: StoredDocument): boolean {
  return isWhole(document.data.settled) && isCredits(document.data.sequence);
}

/** An account from its document; `last` is its newest entry where the document has no books of its own. */
export function readAccount(
  document: StoredDocument,
  last: { balance: number; sequence: number } = { balance: 0, sequence: 0 },
): Account {
  const { data } = document;
  const ledger = isOpened(document) ? { balance: data.settled, sequence: data.sequence } : last;
  const active = typeof data.active === 'object' && data.active !== null ? Object.entries(data.active) : [];
  return {
    uid: document.id,
    version: document.version,
    balance: isCredits(data.balance) ? data.balance : null,
    settled: ledger.balance as number,
    sequence: ledger.sequence as number,
    adjust: data.adjust === undefined ? undefined : isWhole(data.adjust) ? data.adjust : null,
    note: typeof data.note === 'string' ? data.note.slice(0, reasonCharactersMax) : undefined,
    email: typeof data.email === 'string' ? data.email : undefined,
    active: Object.fromEntries(
      active.filter((entry): entry is [string, Date] => isDocumentId(entry[0]) && isDate(entry[1])),
    ),
    rate: Array.isArray(data.rate) ? data.rate.filter(isDate) : [],
    suspended: Boolean(data.suspended),
    signupDue: data.signupDue === true,
    allowance: isCredits(data.allowance) ? data.allowance : undefined,
    allowancePeriod: typeof data.allowancePeriod === 'string' ? data.allowancePeriod : undefined,
    usedAt: isDate(data.usedAt) ? data.usedAt : undefined,
    createdAt: isDate(data.createdAt) ? data.createdAt : undefined,
  };
}

/** Which field of the console's makes this account unusable, if any. */
export function invalidField(account: Account): 'balance' | 'adjust' | undefined {
  if (account.balance === null) return 'balance';
  if (account.adjust === null || !isCredits(account.balance + (account.adjust ?? 0))) return 'adjust';
  return undefined;
}

/** The refusal of an account whose balance only an admin can mend. */
export function accountInvalid(field: 'balance' | 'adjust'): Failure {
  return new Failure(
    'ACCOUNT_INVALID',
    'The balance of this account is not a whole number of credits. Please contact support.',
    { metadata: { field } },
  );
}

/**
 * Records what an admin changed in the console, `balance` and `adjust` together, as one adjustment.
 * What is invalid stays as it is, for the admin to mend.
 */
export function recordEdit(account: Account, actor?: string): Change {
  if (account.balance === null) return { account, entries: [] };
  const adjust = invalidField(account) === 'adjust' ? undefined : account.adjust;
  const balance = account.balance + (adjust ?? 0);
  const amount = balance - account.settled;
  if (amount === 0 && adjust === undefined) return { account, entries: [] };
  const after = { ...account, balance, settled: balance };
  if (adjust !== undefined) after.adjust = undefined;
  after.note = undefined;
  if (amount === 0) return { account: after, entries: [] };
  after.sequence += 1;
  const entry: EntryDraft = {
    id: `adjustment:${after.sequence}`,
    sequence: after.sequence,
    type: 'adjustment',
    amount,
    balance,
    ...(account.note && { reason: account.note }),
    ...(actor && { actor }),
  };
  return { account: after, entries: [entry] };
}

/**
 * Moves credits by one entry. On an account whose balance is invalid only `settled` moves: the entry
 * stands, and the admin's mending of the balance becomes an adjustment.
 */
function move(account: Account, entry: Omit<EntryDraft, 'sequence' | 'balance'>): Change {
  const settled = account.settled + entry.amount;
  const sequence = account.sequence + 1;
  const balance = account.balance === null ? null : account.balance + entry.amount;
  return {
    account: { ...account, balance, settled, sequence },
    entries: [{ ...entry, sequence, balance: settled }],
  };
}

/** The first grant of an account whose user is known to be somebody. */
export function signupGrant(account: Account, credits: number): Change {
  const after = { ...account, signupDue: false };
  if (credits === 0) return { account: after, entries: [] };
  return move(after, { id: 'signup', type: 'grant', amount: credits, reason: 'signup' });
}

export type HoldTerms = {
  generationId: string;
  credits: number;
  deadline: Date;
  now: Date;
  limits: { maxInFlightPerUser: number; maxPerMinutePerUser: number };
};

/** Generations that may still be in flight: their deadline has not passed. */
export function inFlight(account: Account, now: Date): string[] {
  return Object.keys(account.active).filter((id) => (account.active[id]?.getTime() ?? 0) > now.getTime());
}

/** The refusal of a suspended account. */
export function refuseSuspended(account: Account): Failure | undefined {
  return account.suspended ? new Failure('ACCOUNT_SUSPENDED', 'This account is suspended.') : undefined;
}

/** Why this account may not hold so many credits now: its limits, then its credits; undefined if it may. */
export function refuseHold(account: Account, terms: HoldTerms): Failure | undefined {
  const { now, limits, credits } = terms;
  if (inFlight(account, now).length >= limits.maxInFlightPerUser) {
    return new Failure(
      'RATE_LIMITED',
      `At most ${limits.maxInFlightPerUser} images can be painted at once.`,
      {
        retryAfterSeconds: inFlightRetrySeconds,
        metadata: { limit: 'maxInFlightPerUser' },
      },
    );
  }
  const recent = recentHolds(account, now);
  const oldest = recent[recent.length - limits.maxPerMinutePerUser];
  if (oldest) {
    const waitMs = oldest.getTime() + rateWindowMs - now.getTime();
    return new Failure('RATE_LIMITED', `At most ${limits.maxPerMinutePerUser} images a minute.`, {
      retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
      metadata: { limit: 'maxPerMinutePerUser' },
    });
  }
  const balance = account.balance ?? 0;
  if (balance < credits) {
    return insufficientCredits(credits, balance);
  }
  return undefined;
}

/** The refusal of what would take an account below zero. */
export function insufficientCredits(required: number, balance: number): Failure {
  return new Failure('INSUFFICIENT_CREDITS', `This takes ${required} credits; the account has ${balance}.`, {
    metadata: { required: String(required), balance: String(balance) },
  });
}

function recentHolds(account: Account, now: Date): Date[] {
  return account.rate.filter((time) => time.getTime() > now.getTime() - rateWindowMs);
}

/** Takes a generation's price and counts it as in flight. */
export function debit(account: Account, terms: HoldTerms): Change {
  const { generationId, credits, deadline, now } = terms;
  const change = move(account, {
    id: `${generationId}:debit`,
    type: 'debit',
    amount: -credits,
    generationId,
  });
  const running = inFlight(account, now).map((id) => [id, account.active[id] as Date] as const);
  const active = { ...Object.fromEntries(running), [generationId]: deadline };
  return {
    ...change,
    account: { ...change.account, active, rate: [...recentHolds(account, now), now], usedAt: now },
  };
}

/** Tops an account up to its allowance, and marks the period; no entry where nothing is missing. */
export function refillTo(account: Account, allowance: number, period: string): Change {
  const after = { ...account, allowancePeriod: period };
  const missing = allowance - (account.balance ?? allowance);
  if (missing <= 0) return { account: after, entries: [] };
  return move(after, { id: `allowance:${period}`, type: 'allowance', amount: missing });
}

/** Adds credits by an admin's word, or takes them. */
export function grantCredits(
  account: Account,
  grant: { id: string; amount: number; reason: string; actor: string },
): Change {
  return move(account, { type: 'grant', ...grant });
}

/** Gives a generation's price back. */
export function refund(account: Account, generationId: string, credits: number, reason: string): Change {
  const change = move(account, {
    id: `${generationId}:refund`,
    type: 'refund',
    amount: credits,
    generationId,
    reason,
  });
  const { [generationId]: _, ...active } = account.active;
  return { ...change, account: { ...change.account, active } };
}

/** One change after the other. */
export function andThen(first: Change, next: (account: Account) => Change): Change {
  const second = next(first.account);
  return { account: second.account, entries: [...first.entries, ...second.entries] };
}

/** The writes of a change: the account as it was read, and its new entries, which must not exist yet. */
export function changeWrites(before: Account, { account, entries }: Change, now: Date): Write[] {
  const data: Data = {
    settled: account.settled,
    sequence: account.sequence,
    active: account.active,
    rate: account.rate,
    updatedAt: now,
  };
  // An invalid balance is the admin's: it is never overwritten.
  if (account.balance !== null) data.balance = account.balance;
  if (before.adjust !== undefined && account.adjust === undefined) data.adjust = removed;
  if (before.note !== undefined && account.note === undefined) data.note = removed;
  if (before.signupDue && !account.signupDue) data.signupDue = removed;
  if (before.createdAt === undefined) data.createdAt = now;
  if (account.email !== before.email) data.email = account.email;
  if (account.usedAt !== before.usedAt) data.usedAt = account.usedAt;
  if (account.allowancePeriod !== before.allowancePeriod) data.allowancePeriod = account.allowancePeriod;
  return [
    { update: `accounts/${account.uid}`, data, at: before.version },
    ...entries.map(({ id, ...entry }) => ({
      create: `accounts/${account.uid}/entries/${id}`,
      data: { ...entry, createdAt: now },
    })),
  ];
}
