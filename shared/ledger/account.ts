/** An account and its entries: the documents, and how the ledger reads them. Pure. */
import {
  type DocumentPath,
  documentPath,
  isDocumentId,
  type StoredDocument,
  type Unparsed,
  type Version,
} from '../database/database.ts';
import { Failure } from '../errors.ts';

/** The most credits that a grant may bring a balance to: far below where doubles stop counting in ones. */
export const creditsMax = 1_000_000_000_000;
/** The highest balance that an admin may write: refunds on top of it must still be counted in ones. */
const balanceMax = Number.MAX_SAFE_INTEGER - creditsMax;
/** Longest reason kept with an entry, in UTF-16 units. */
const reasonCharactersMax = 500;

export type AcceptedTerms = { version: string; acceptedAt: Date };

/** The fields of `accounts/{uid}`. An admin may have typed anything into them, or removed them. */
export type AccountData = {
  /** The admin's to edit. */
  balance: number;
  /** The balance that the ledger last wrote. `balance ≠ settled` is an edit that no entry records yet. */
  settled: number;
  /** The sequence of the newest entry. */
  sequence: number;
  /** An admin's signed addition, removed when it is recorded. */
  adjust: number;
  /** An admin's reason for an edit, removed when it is recorded. */
  note: string;
  email: string;
  /** Generation id → deadline; may name finished ones. */
  active: Record<string, Date>;
  /** When each hold of the last minute was made, oldest first. */
  rate: Date[];
  /** When each generation that was, or may have been, billed by the provider was refunded in the last hour, oldest first. */
  billedRefunds: Date[];
  suspended: boolean;
  /** True until the signup credits are granted. */
  signupDue: boolean;
  /** This account's own allowance, which replaces the environment's. */
  allowance: number;
  /** The last period whose allowance it has received. */
  allowancePeriod: string;
  /** When the account was last used, at most a day late. */
  usedAt: Date;
  /** The version of the terms that the user accepted last, and when. */
  terms: AcceptedTerms;
  createdAt: Date;
  updatedAt: Date;
};

export const accountPath = (uid: string): DocumentPath<Partial<AccountData>> =>
  documentPath(`accounts/${uid}`);

export type HoldLimits = {
  maxInFlightPerUser: number;
  /** Holds in any 60 s. */
  maxPerMinutePerUser: number;
  /** Refunds in any hour of generations that the provider billed, or may have billed. */
  maxRefundsPerHourPerUser: number;
};

/** An account as last read, and as the rules of credit change it. */
export type Account = {
  uid: string;
  version: Version;
  /** Null if the console holds anything but a whole number ≥ 0: only an admin can fix it. */
  balance: number | null;
  /** The balance that the ledger last wrote: the document's `settled`. */
  ledgerBalance: number;
  sequence: number;
  /** Null if the console holds anything but a whole number. */
  adjust: number | null | undefined;
} & Pick<AccountData, 'active' | 'rate' | 'billedRefunds' | 'suspended' | 'signupDue'> &
  Optional<
    AccountData,
    'note' | 'email' | 'allowance' | 'allowancePeriod' | 'usedAt' | 'terms' | 'createdAt'
  >;

type Optional<T, K extends keyof T> = { [Key in K]: T[Key] | undefined };

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
const isCredits = (value: unknown): value is number => isWhole(value) && value >= 0 && value <= balanceMax;
const isDate = (value: unknown): value is Date => value instanceof Date;

/** True once the ledger has written its fields. An account made by hand in the console lacks them. */
export function isOpened({ data }: { data: Unparsed<AccountData> }): boolean {
  return isWhole(data.settled) && isCredits(data.sequence);
}

/** The newest entry of an account, from which an account without the ledger's fields continues. */
export type NewestEntry = { balance: number; sequence: number };

/** @param newest continues the ledger of an account that is not opened. */
export function parseAccount(
  document: StoredDocument,
  newest: NewestEntry = { balance: 0, sequence: 0 },
): Account {
  const data: Unparsed<AccountData> = document.data;
  const last = isOpened(document) ? { balance: data.settled, sequence: data.sequence } : newest;
  const active = typeof data.active === 'object' && data.active !== null ? Object.entries(data.active) : [];
  return {
    uid: document.id,
    version: document.version,
    balance: isCredits(data.balance) ? data.balance : null,
    ledgerBalance: last.balance as number,
    sequence: last.sequence as number,
    adjust: data.adjust === undefined ? undefined : isWhole(data.adjust) ? data.adjust : null,
    active: Object.fromEntries(
      active.filter((entry): entry is [string, Date] => isDocumentId(entry[0]) && isDate(entry[1])),
    ),
    rate: Array.isArray(data.rate) ? data.rate.filter(isDate) : [],
    billedRefunds: Array.isArray(data.billedRefunds) ? data.billedRefunds.filter(isDate) : [],
    suspended: Boolean(data.suspended),
    signupDue: data.signupDue === true,
    note: typeof data.note === 'string' ? data.note.slice(0, reasonCharactersMax) : undefined,
    email: typeof data.email === 'string' ? data.email : undefined,
    allowance: isCredits(data.allowance) ? data.allowance : undefined,
    allowancePeriod: typeof data.allowancePeriod === 'string' ? data.allowancePeriod : undefined,
    usedAt: isDate(data.usedAt) ? data.usedAt : undefined,
    terms: parseTerms(data.terms),
    createdAt: isDate(data.createdAt) ? data.createdAt : undefined,
  };
}

/** Terms that an admin misspelt count as not accepted: the user is asked again. */
function parseTerms(terms: unknown): AcceptedTerms | undefined {
  const { version, acceptedAt } = (terms ?? {}) as Unparsed<AcceptedTerms>;
  return typeof version === 'string' && isDate(acceptedAt) ? { version, acceptedAt } : undefined;
}

/** The field that makes an account unusable until an admin corrects it in the console. */
export function findInvalidField(account: Account): 'balance' | 'adjust' | undefined {
  if (account.balance === null) return 'balance';
  if (account.adjust === null || !isCredits(account.balance + (account.adjust ?? 0))) return 'adjust';
  return undefined;
}

/** The refusal of an account that only an admin can correct. */
export function refuseInvalid(account: Account): Failure | undefined {
  const field = findInvalidField(account);
  if (!field) return undefined;
  return new Failure(
    'ACCOUNT_INVALID',
    'The balance of this account is not a whole number of credits. Please contact support.',
    { metadata: { field } },
  );
}
