/**
 * The rules of purchases, pure: what a payment, a refund of it and a dispute do to an account.
 *
 * Each purchase has a claim: the credits of it that Stripe has taken back. Each refund and each dispute moves the claim to
 * its new value, and the difference is what its entry takes or gives. So parts add up to the whole, and money is never
 * counted twice.
 */
import * as z from 'zod';
import { type DocumentPath, documentPath } from '../database/database.ts';
import type { Account } from './account.ts';
import { addCredits, andThen, type Change, move, unchanged } from './creditChanges.ts';
import { decideSuspension } from './suspensionRules.ts';

/** Refunds or disputes of a purchase by id. Each value is what it takes now, in the smallest unit of the currency. */
const takenSchema = z.record(z.string(), z.int().min(0));

/** The fields of `accounts/{uid}/purchases/{sessionId}`. Amounts are in the smallest unit of the currency. */
export const purchaseSchema = z.object({
  pack: z.string(),
  credits: z.int().positive(),
  /** What was paid, with the tax. */
  amount: z.int().positive(),
  tax: z.int().min(0),
  currency: z.string(),
  paymentIntent: z.string(),
  /** Credits that Stripe has taken back. */
  claim: z.int().min(0),
  refunds: takenSchema,
  disputes: takenSchema,
  createdAt: z.date(),
  updatedAt: z.date(),
});
export type PurchaseData = z.infer<typeof purchaseSchema>;
/** The parts of a purchase that the rules need. */
export type Purchase = Pick<PurchaseData, 'credits' | 'amount' | 'claim' | 'refunds' | 'disputes'>;

export const purchasesPath = (uid: string) => `accounts/${uid}/purchases`;
export const purchasePath = (uid: string, sessionId: string): DocumentPath<PurchaseData> =>
  documentPath(`${purchasesPath(uid)}/${sessionId}`);

/** The ids of the entries of a checkout session, and of a refund or a dispute. */
export const purchaseEntryId = (sessionId: string) => `purchase:${sessionId}`;
export const clawbackEntryId = (id: string) => `clawback:${id}`;
export const reinstatementEntryId = (id: string) => `reinstatement:${id}`;

/** What Stripe says of one refund or dispute. */
export type Reversal = {
  kind: 'refund' | 'dispute';
  id: string;
  /** What it took, in the smallest unit of the currency. */
  amount: number;
  /** What it takes now: the amount, or after it failed or was won what did not come back, usually 0. */
  left: number;
  /** True if it failed, was canceled or was won: money came back. */
  isReturned: boolean;
};

/** Which entries of a reversal are in the ledger already. */
export type KnownEntries = { clawback: boolean; reinstatement: boolean };

/** An account with one of its purchases. */
export type PurchaseChange = { change: Change; purchase: Purchase };

const sum = (amounts: Record<string, number>) =>
  Object.values(amounts).reduce((total, amount) => total + amount, 0);

/** The credits that are taken back: `floor(credits × min(paid, live refunds + live disputes) / paid)`. */
export function computeClaim({ credits, amount, refunds, disputes }: Omit<Purchase, 'claim'>): number {
  const taken = Math.min(amount, sum(refunds) + sum(disputes));
  // The product may be too large for a double to hold exactly.
  return Number((BigInt(credits) * BigInt(taken)) / BigInt(amount));
}

/** Adds the credits of a purchase. */
export const addPurchase = (account: Account, sessionId: string, credits: number): Change =>
  addCredits(account, { id: purchaseEntryId(sessionId), type: 'purchase', amount: credits });

/**
 * Applies refunds and disputes of one purchase, one after another.
 * @param hasEntry whether the ledger has the entry with this id.
 */
export function applyReversals(
  start: PurchaseChange,
  reversals: readonly Reversal[],
  hasEntry: (id: string) => boolean,
  now: Date,
): PurchaseChange {
  return reversals.reduce(({ change, purchase }, reversal) => {
    const isKnown = (id: string) => hasEntry(id) || change.entries.some((entry) => entry.id === id);
    const known = {
      clawback: isKnown(clawbackEntryId(reversal.id)),
      reinstatement: isKnown(reinstatementEntryId(reversal.id)),
    };
    const { change: moved, purchase: claimed } = applyReversal(
      change.account,
      purchase,
      reversal,
      known,
      now,
    );
    return { change: andThen(change, () => moved), purchase: claimed };
  }, start);
}

/**
 * Moves a purchase and its account to what Stripe says of a refund or dispute. Each takes once and gives back once. What
 * comes after it gave back changes nothing.
 */
export function applyReversal(
  account: Account,
  purchase: Purchase,
  reversal: Reversal,
  known: KnownEntries,
  now: Date,
): PurchaseChange {
  let current: PurchaseChange = { change: unchanged(account), purchase };
  if (known.reinstatement) return current;
  if (!known.clawback) current = take(current, reversal, now);
  return reversal.isReturned ? giveBack(current, reversal, now) : current;
}

/**
 * Takes what the balance has; the rest becomes a debt. There is an entry even if it takes nothing, because without it the
 * same event would add to the debt again. On an invalid balance the ledger's own balance decides.
 */
function take({ change, purchase }: PurchaseChange, reversal: Reversal, now: Date): PurchaseChange {
  const claimed = withTaken(purchase, reversal, reversal.amount);
  const difference = Math.max(0, claimed.claim - purchase.claim);
  return {
    purchase: claimed,
    change: andThen(change, (account) => {
      const available = Math.max(
        0,
        Math.min(account.balance ?? account.ledgerBalance, account.ledgerBalance),
      );
      const taken = Math.min(available, difference);
      const indebted = { ...account, debt: account.debt + difference - taken };
      // Not -0, which a database stores as another value than 0.
      const entry = { id: clawbackEntryId(reversal.id), type: 'clawback', amount: 0 - taken } as const;
      const moved = move(indebted, entry);
      return reversal.kind === 'dispute'
        ? { ...moved, account: suspendFor(moved.account, reversal.id, now) }
        : moved;
    }),
  };
}

function giveBack({ change, purchase }: PurchaseChange, reversal: Reversal, now: Date): PurchaseChange {
  const { id, kind, left } = reversal;
  const claimed = withTaken(purchase, reversal, left);
  const difference = Math.max(0, purchase.claim - claimed.claim);
  return {
    purchase: claimed,
    change: andThen(change, (account) => {
      const entry = { id: reinstatementEntryId(id), type: 'reinstatement', amount: difference } as const;
      const given = addCredits(account, entry);
      if (kind === 'refund' || left > 0) return given;
      return { ...given, account: endSuspensionFor(given.account, id, now) };
    }),
  };
}

function withTaken(purchase: Purchase, { kind, id }: Reversal, amount: number): Purchase {
  const refunds = kind === 'refund' ? { ...purchase.refunds, [id]: amount } : purchase.refunds;
  const disputes = kind === 'dispute' ? { ...purchase.disputes, [id]: amount } : purchase.disputes;
  return { ...purchase, refunds, disputes, claim: computeClaim({ ...purchase, refunds, disputes }) };
}

/** Suspends an account for a dispute, and for those that suspend it already. An admin's suspension stays the admin's. */
function suspendFor(account: Account, disputeId: string, now: Date): Account {
  if (account.suspended && account.suspendedFor.length === 0) return account;
  const before = account.suspended ? account.suspendedFor : [];
  return decideSuspension(account, true, now, [...before, disputeId]);
}

/** Lifts a suspension that this dispute set, if no other dispute of the person stands. */
function endSuspensionFor(account: Account, disputeId: string, now: Date): Account {
  if (!account.suspended || !account.suspendedFor.includes(disputeId)) return account;
  const left = account.suspendedFor.filter((id) => id !== disputeId);
  return decideSuspension(account, left.length > 0, now, left);
}
