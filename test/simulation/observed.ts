/** What the model has observed of accounts and generations. */
import { createHash } from 'node:crypto';
import type { Data } from '../../shared/database/database.ts';
import type { Entry } from './modelLedger.ts';

/** The contract's prices. */
export const prices: Record<string, number> = { standard: 1, premium2: 2, premium4: 4 };

/** The body of `generate`. */
export type Body = { prompt: string; tier: string; orientation: string; fresh: boolean };

export const isSameBody = (a: Body, b: Body) =>
  a.prompt === b.prompt && a.tier === b.tier && a.orientation === b.orientation && a.fresh === b.fresh;

export type Status = 'pending' | 'succeeded' | 'refunded' | 'deleted';

export type ObservedGeneration = {
  id: string;
  uid: string;
  /** The body of its request. */
  body: Body;
  /** True if it is a cache hit: a finished image again, without a charge. */
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
  /** True if an admin deleted its document. It then counts as deleted. */
  removed: boolean;
};

/** An account after one commit. */
export type Moment = {
  tick: number;
  exists: boolean;
  /** Undefined if the balance is not a whole number ≥ 0. */
  shown: number | undefined;
  /** Null if it is not a whole number. */
  adjust: number | null | undefined;
  suspended: boolean;
  /** The number of pending generations. */
  pending: number;
  /** The number of entries, and the sum of their amounts. */
  entries: number;
  sum: number;
};

export type ObservedAccount = {
  uid: string;
  verified: boolean;
  data: Data | undefined;
  entries: Entry[];
  sum: number;
  moments: Moment[];
  /** True if an admin removed the fields that the limits use. */
  limitsForgotten: boolean;
  /** `due` until the first call; `none` for an account made by hand or with entries. */
  signup: 'due' | 'granted' | 'none';
  /** The sum of all console edits. */
  edits: number;
};

/** The generation id of a key. It must never change: another hash would charge all used keys again. */
export const hashId = (uid: string, key: string) =>
  createHash('sha256')
    .update(JSON.stringify([uid, key]))
    .digest('hex')
    .slice(0, 32);

/** A balance that is a whole number of credits, or undefined. */
export const parseCredits = (balance: unknown): number | undefined =>
  Number.isSafeInteger(balance) && Number(balance) >= 0 ? Number(balance) : undefined;

/** The amount of `adjust` if it can be applied, else undefined. */
export function getApplicableAdjust({ shown, adjust }: Pick<Moment, 'shown' | 'adjust'>): number | undefined {
  if (shown === undefined || typeof adjust !== 'number' || shown + adjust < 0) return undefined;
  return adjust;
}
