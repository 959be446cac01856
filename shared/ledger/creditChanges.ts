/**
 * What can happen to an account, pure: each change with the entries that record it, such as a debit or a refund. The changes
 * use no clock, no database and no randomness: times and ids are arguments.
 *
 * An admin edits `balance` in the console. `ledgerBalance` is the balance that the ledger last wrote, so a difference
 * between the two is an edit that no entry records yet. Every change keeps two invariants: the sum of all entries'
 * amounts is `ledgerBalance`, and sequences have no gap.
 */
import {
  createDocument,
  type FieldUpdates,
  removed,
  updateDocument,
  type Write,
} from '../database/database.ts';
import { type Account, type AccountData, accountPath, findInvalidField } from './account.ts';
import { debitEntryId, type EntryData, entryPath, refundEntryId } from './entries.ts';
import { findRecent, type HoldParams, inFlight, rateWindowMs, refundWindowMs } from './refusals.ts';

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

/**
 * Keeps what the last call proves of the user: allowances are for verified users, and the address is a verified one or none.
 */
export function setUser(account: Account, { verified, email }: Pick<Account, 'verified' | 'email'>): Change {
  const isKnown = account.verified === verified && account.email === email;
  return unchanged(isKnown ? account : { ...account, verified, email });
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
  const cleared = before.strayFields.filter((field) => !account.strayFields.includes(field));
  return [
    updateDocument(accountPath(account.uid), { ...clearFields(account, cleared), ...data }, before.version),
    ...entries.map(({ id, ...entry }) =>
      createDocument(entryPath(account.uid, id), { ...entry, createdAt: now }),
    ),
  ];
}

/** Removes fields, but not what they decide: text in `suspended` suspends, and in `closedAt` it closes. */
function clearFields(account: Account, fields: readonly string[]): FieldUpdates<AccountData> {
  const kept: Record<string, unknown> = { suspended: account.suspended, closedAt: account.closedAt };
  return Object.fromEntries(fields.map((field) => [field, kept[field] ?? removed]));
}
