/** What the model has observed of accounts and generations. */
import { createHash } from 'node:crypto';
import type { Data } from '../../shared/database/database.ts';
import type { Entry } from './modelLedger.ts';
import type { Reasons } from './modelSuspensions.ts';

/** The contract's prices at 1K, and how many times as much a resolution costs. */
const prices: Record<string, number> = { standard: 1, premium2: 2, premium4: 4 };
const priceFactors: Record<string, number> = { '1K': 1, '2K': 2, '4K': 4 };

/** The body of `generate`. Without a resolution it asks for 1K. */
export type Body = {
  prompt: string;
  tier: string;
  orientation: string;
  fresh: boolean;
  /** The id of the image that the prompt changes. */
  editOf?: string;
  group?: string;
  originalPrompt?: string;
  resolution?: string;
};

export const getPrice = ({ tier, resolution = '1K' }: Body) =>
  (prices[tier] ?? Number.NaN) * (priceFactors[resolution] ?? Number.NaN);

/** Compares what a key identifies: not the original prompt. */
export const isSameBody = (a: Body, b: Body) => isSameImage(a, b) && a.group === b.group;

/** Compares what an image in the cache is found by, and `fresh`. */
export const isSameImage = (a: Body, b: Body) =>
  a.prompt === b.prompt &&
  a.tier === b.tier &&
  a.orientation === b.orientation &&
  a.fresh === b.fresh &&
  a.editOf === b.editOf &&
  (a.resolution ?? '1K') === (b.resolution ?? '1K');

export type Status = 'pending' | 'succeeded' | 'refunded' | 'deleted';

export type ObservedGeneration = {
  id: string;
  uid: string;
  /** The body of its request. */
  body: Body;
  /** The words of its prompts. */
  words: readonly string[];
  /** Of an edit: its ancestors, newest first. */
  ancestors: readonly string[];
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
  /** The token of its share, and that after each commit that changed it. */
  shareToken: string | undefined;
  shareTokens: { tick: number; token: string | undefined }[];
  /** Whether it is a favourite, after each commit that changed it. */
  marks: { tick: number; isMarked: boolean }[];
  /** True if the studio took it down. */
  isTakenDown: boolean;
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
  closed: boolean;
  /** True if the sequence in the document is not that of the newest entry. */
  misnumbered: boolean;
  /** True if an admin has typed another field wrong. */
  mistyped: boolean;
  /** The number of pending generations. */
  pending: number;
  /** The number of entries, and the sum of their amounts. */
  entries: number;
  sum: number;
};

export type ObservedAccount = {
  uid: string;
  verified: boolean;
  /** The identities that the user's sign-in proves. */
  names: readonly string[];
  /** The identities that its document has ever had. */
  met: Set<string>;
  /** What admins have decided about this account: true to suspend, false to restore. */
  decisions: Set<boolean>;
  reasons: Reasons;
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

/** The balance of a document. One that an admin has made by hand, without a balance, has none yet. */
export const parseBalance = ({ balance, settled, sequence, updatedAt }: Data): number | undefined =>
  balance === undefined && settled === undefined && sequence === undefined && updatedAt === undefined
    ? 0
    : parseCredits(balance);

/** Anything but false suspends, unless the field is missing. */
export const isSuspended = (data: Data | undefined): boolean =>
  ![undefined, null, false].includes(data?.suspended as undefined);

/** True if the account is closed or closing. */
export const isClosed = (data: Data | undefined): boolean => data?.closedAt !== undefined;

/** True if the document has the ledger's fields. Without them the next commit opens the account. */
export const isOpened = (data: Data | undefined): boolean =>
  Number.isSafeInteger(data?.settled) && parseCredits(data?.sequence) !== undefined;

/** True if the ledger has written the sequence, and an admin has replaced it by another number. */
export const isMisnumbered = (data: Data | undefined, entries: number): boolean =>
  isOpened(data) && data?.entryCount !== undefined && data.sequence !== entries;

const dates = (values: unknown) =>
  typeof values === 'object' && Object.values(values ?? {}).every((value) => value instanceof Date);
/** The fields that an admin of a history types wrong, and what they must hold. */
const fieldRules: Record<string, (value: unknown) => boolean> = {
  suspended: (value) => typeof value === 'boolean',
  allowance: (value) => parseCredits(value) !== undefined,
  usedAt: (value) => value instanceof Date,
  settled: Number.isSafeInteger,
  sequence: (value) => parseCredits(value) !== undefined,
  active: dates,
  rate: dates,
};
/** The fields of an account that are typed wrong. */
export const findMistyped = (data: Data | undefined): string[] =>
  Object.keys(fieldRules).filter((field) => {
    const value = data?.[field];
    return value !== undefined && value !== null && !fieldRules[field]?.(value);
  });

/** A balance that is a whole number of credits, or undefined. */
export const parseCredits = (balance: unknown): number | undefined =>
  Number.isSafeInteger(balance) && Number(balance) >= 0 ? Number(balance) : undefined;

/** The amount of `adjust` if it can be applied, else undefined. */
export function getApplicableAdjust({ shown, adjust }: Pick<Moment, 'shown' | 'adjust'>): number | undefined {
  if (shown === undefined || typeof adjust !== 'number' || shown + adjust < 0) return undefined;
  return adjust;
}
