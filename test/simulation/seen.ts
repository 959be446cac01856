/** What the model knows of accounts and generations: what it saw, in its own words. */
import { createHash } from 'node:crypto';
import type { Data } from '../../shared/database/database.ts';
import type { Entry } from './modelBooks.ts';

/** The contract's prices. */
export const prices: Record<string, number> = { standard: 1, premium2: 2, premium4: 4 };

/** The body of `generate`. */
export type Body = { prompt: string; tier: string; orientation: string; fresh: boolean };

export const isSameBody = (a: Body, b: Body) =>
  a.prompt === b.prompt && a.tier === b.tier && a.orientation === b.orientation && a.fresh === b.fresh;

export type Status = 'pending' | 'succeeded' | 'refunded' | 'deleted';

export type GenerationSeen = {
  id: string;
  uid: string;
  /** What it was asked with. */
  body: Body;
  /** Whether it came from the cache: a finished image again, for nothing. */
  cached: boolean;
  status: Status;
  /** The status after each commit that changed it. */
  history: { tick: number; status: Status }[];
  price: number;
  publicId: string;
  deadline: number;
  createdAt: number;
  failure: string | undefined;
  /** When it was refunded, if the provider bills it or its cost is unknown. */
  billedRefundAt: number | undefined;
  erased: boolean;
};

/** An account as it stood after one commit. */
export type Moment = {
  tick: number;
  exists: boolean;
  /** Undefined where the balance is no whole number ≥ 0. */
  shown: number | undefined;
  /** Null where it is no whole number. */
  adjust: number | null | undefined;
  suspended: boolean;
  /** Generations pending. */
  pending: number;
  /** Entries, and the sum of their amounts: what the ledger has recorded. */
  entries: number;
  sum: number;
};

export type AccountSeen = {
  uid: string;
  verified: boolean;
  data: Data | undefined;
  entries: Entry[];
  sum: number;
  moments: Moment[];
  /** An admin threw away what the limits are counted by. */
  limitsForgotten: boolean;
  /** Whether its next call is its first, with signup credits due: not on one made by hand, nor on one with entries. */
  signup: 'due' | 'granted' | 'none';
  /** What all console edits, taken together, added. */
  edits: number;
};

/**
 * The id that a user's key has for ever: were it another one day, all keys in use would be charged again.
 */
export const idOf = (uid: string, key: string) =>
  createHash('sha256')
    .update(JSON.stringify([uid, key]))
    .digest('hex')
    .slice(0, 32);

/** A balance that is a whole number of credits, or undefined. */
export const creditsIn = (balance: unknown): number | undefined =>
  Number.isSafeInteger(balance) && Number(balance) >= 0 ? Number(balance) : undefined;

/** What an admin's addition comes to where it can be applied, or undefined. */
export function adjustable({ shown, adjust }: Pick<Moment, 'shown' | 'adjust'>): number | undefined {
  if (shown === undefined || typeof adjust !== 'number' || shown + adjust < 0) return undefined;
  return adjust;
}
