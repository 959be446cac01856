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
  /** The number of entries. `entryCount ≠ sequence` shows that an admin has changed one of them. */
  entryCount: number;
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
  /** Set with `suspended` by the ledger. If only one of the two is set, that is an edit in the console. */
  suspendedAt: Date;
  /** When a suspension was lifted. */
  restoredAt: Date;
  /** The hashes of the user's identities. They name the documents of the person. */
  identities: string[];
  /** The disputes that suspended the person. Empty or missing if an admin did. */
  suspendedFor: string[];
  /** Credits that were to be taken back when the account had none left. Credits that are added later pay it off. */
  debt: number;
  /** The person's customers at Stripe. The last one is in use. */
  customers: string[];
  /** When the account was closed, or began to close. */
  closedAt: Date;
  /** True until the signup credits are granted. */
  signupDue: boolean;
  /** Whether the user was verified at the last call. If it is missing: whether no signup credits are due. */
  verified: boolean;
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
  /** False if the console holds another sequence than that of the newest entry: only an admin can fix it. */
  fitsEntries: boolean;
  /** Null if the console holds anything but a whole number. */
  adjust: number | null | undefined;
  identities: readonly string[];
  /** Fields of the document that have no meaning, or not this one. They are left alone until the account is closed. */
  strayFields: readonly string[];
} & Pick<AccountData, 'active' | 'rate' | 'billedRefunds' | 'suspended' | 'signupDue' | 'verified'> &
  Pick<AccountData, 'suspendedFor' | 'debt' | 'customers'> &
  Optional<
    AccountData,
    | 'note'
    | 'email'
    | 'suspendedAt'
    | 'restoredAt'
    | 'allowance'
    | 'allowancePeriod'
    | 'usedAt'
    | 'terms'
    | 'createdAt'
    | 'closedAt'
  >;

type Optional<T, K extends keyof T> = { [Key in K]: T[Key] | undefined };

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
const isCredits = (value: unknown): value is number => isWhole(value) && value >= 0 && value <= balanceMax;
const isDate = (value: unknown): value is Date => value instanceof Date;
const isDates = (value: unknown) => Array.isArray(value) && value.every(isDate);
const isText = (value: unknown): value is string => typeof value === 'string';
const isTexts = (value: unknown) => Array.isArray(value) && value.every(isText);
const isHash = (value: unknown): value is string => isText(value) && isDocumentId(value);
const isBoolean = (value: unknown) => typeof value === 'boolean';
/** The console's type null means that the field has no value. */
const isMissing = (value: unknown): value is undefined | null => value === undefined || value === null;

/** What each field must hold. `findInvalidField` checks the two others. */
const fieldChecks: Record<Exclude<keyof AccountData, 'balance' | 'adjust'>, (value: unknown) => boolean> = {
  settled: isWhole,
  sequence: isCredits,
  entryCount: isCredits,
  note: isText,
  email: isText,
  active: (value) => typeof value === 'object' && Object.values(value ?? {}).every(isDate),
  rate: isDates,
  billedRefunds: isDates,
  suspended: isBoolean,
  suspendedAt: isDate,
  restoredAt: isDate,
  identities: isTexts,
  suspendedFor: isTexts,
  debt: isCredits,
  customers: isTexts,
  closedAt: isDate,
  signupDue: isBoolean,
  verified: isBoolean,
  allowance: isCredits,
  allowancePeriod: isText,
  usedAt: isDate,
  terms: (value) => parseTerms(value) !== undefined,
  createdAt: isDate,
  updatedAt: isDate,
};

/**
 * The fields of an account that an admin has given a wrong type or an impossible value. They are read in the safe way:
 * nothing is paid, and the account is suspended.
 */
export function findMistypedFields({ data }: { data: Unparsed<AccountData> }): string[] {
  return Object.entries(fieldChecks).flatMap(([field, isValid]) => {
    const value = data[field as keyof AccountData];
    return isMissing(value) || isValid(value) ? [] : [field];
  });
}

/** The fields that the ledger does not know: an admin has added them, or misspelt another, such as `Suspended`. */
function findUnknownFields(data: Unparsed<AccountData>): string[] {
  const isKnown = (field: string) =>
    field === 'balance' || field === 'adjust' || Object.hasOwn(fieldChecks, field);
  return Object.keys(data).filter((field) => !isKnown(field));
}

/** The fields that hold what they cannot, and those that the ledger does not know. */
const findStrayFields = (data: Unparsed<AccountData>): string[] => [
  ...findMistypedFields({ data }),
  ...findUnknownFields(data),
];

/** Text, such as "false", suspends too: an admin has meant something by it. */
export const isSuspended = ({ suspended }: { readonly suspended?: unknown }) =>
  !isMissing(suspended) && suspended !== false;

/** True once the ledger has written its fields. An account made by hand in the console lacks them. */
export function isOpened({ data }: { data: Unparsed<AccountData> }): boolean {
  return isWhole(data.settled) && isCredits(data.sequence);
}

/** True if an admin has changed `sequence` or `entryCount`: only the newest entry shows whether the sequence is wrong. */
export function mayMisfit(document: { data: Unparsed<AccountData> }): boolean {
  const { sequence, entryCount } = document.data;
  return isOpened(document) && entryCount !== undefined && entryCount !== sequence;
}

/** True if the ledger has not written the document yet. */
function isMadeByHand({ data }: { data: Unparsed<AccountData> }): boolean {
  return [data.settled, data.sequence, data.updatedAt].every((value) => value === undefined);
}

/** The newest entry of an account. Without the ledger's fields, or with a wrong sequence, an account continues from it. */
export type NewestEntry = { balance: number; sequence: number };
export const noEntry: NewestEntry = { balance: 0, sequence: 0 };

/** @param newest required if the account is not opened, or if its sequence may not fit its entries. */
export function parseAccount(document: StoredDocument, newest?: NewestEntry): Account {
  const data: Unparsed<AccountData> = document.data;
  const fitsEntries = !isOpened(document) || newest === undefined || newest.sequence === data.sequence;
  const last =
    isOpened(document) && fitsEntries
      ? { balance: data.settled, sequence: data.sequence }
      : (newest ?? noEntry);
  // An admin may create an account with any field.
  const balance = data.balance === undefined && isMadeByHand(document) ? 0 : data.balance;
  const active = typeof data.active === 'object' && data.active !== null ? Object.entries(data.active) : [];
  return {
    uid: document.id,
    version: document.version,
    balance: isCredits(balance) ? balance : null,
    ledgerBalance: last.balance as number,
    sequence: last.sequence as number,
    fitsEntries,
    adjust: data.adjust === undefined ? undefined : isWhole(data.adjust) ? data.adjust : null,
    active: Object.fromEntries(
      active.filter((entry): entry is [string, Date] => isDocumentId(entry[0]) && isDate(entry[1])),
    ),
    rate: Array.isArray(data.rate) ? data.rate.filter(isDate) : [],
    billedRefunds: Array.isArray(data.billedRefunds) ? data.billedRefunds.filter(isDate) : [],
    suspended: isSuspended(data),
    suspendedFor: Array.isArray(data.suspendedFor) ? data.suspendedFor.filter(isText) : [],
    debt: isCredits(data.debt) ? data.debt : 0,
    customers: Array.isArray(data.customers) ? data.customers.filter(isText) : [],
    suspendedAt: isDate(data.suspendedAt) ? data.suspendedAt : undefined,
    restoredAt: isDate(data.restoredAt) ? data.restoredAt : undefined,
    // Anything but a missing value was meant to close the account.
    closedAt: isMissing(data.closedAt) ? undefined : isDate(data.closedAt) ? data.closedAt : new Date(0),
    identities: Array.isArray(data.identities) ? data.identities.filter(isHash) : [],
    strayFields: findStrayFields(data),
    signupDue: data.signupDue === true,
    verified: data.verified === undefined ? data.signupDue !== true : data.verified === true,
    note: typeof data.note === 'string' ? shorten(data.note) : undefined,
    email: typeof data.email === 'string' ? data.email : undefined,
    allowance: isMissing(data.allowance) ? undefined : isCredits(data.allowance) ? data.allowance : 0,
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

/** The first characters of a note; half of an emoji at the end is left out. */
const shorten = (note: string) => note.slice(0, reasonCharactersMax).replace(/[\uD800-\uDBFF]$/, '');

export type InvalidField = 'balance' | 'adjust' | 'sequence';

/** What makes an account unusable until an admin corrects it in the console: the field, and what is wrong with it. */
export function findProblem(account: Account): { field: InvalidField; text: string } | undefined {
  const { balance, adjust = 0, fitsEntries } = account;
  if (!fitsEntries) {
    return {
      field: 'sequence',
      text: `sequence does not fit the newest entry, which has the sequence ${account.sequence}`,
    };
  }
  if (balance === null) {
    return { field: 'balance', text: `balance is not a whole number of credits from 0 to ${balanceMax}` };
  }
  if (adjust === null) return { field: 'adjust', text: 'adjust is not a whole number of credits' };
  if (isCredits(balance + adjust)) return undefined;
  const limit = adjust < 0 ? 'below 0' : `above ${balanceMax}`;
  return { field: 'adjust', text: `adjust of ${adjust} would bring the balance of ${balance} ${limit}` };
}

export const findInvalidField = (account: Account): InvalidField | undefined => findProblem(account)?.field;

/** The refusal of an account that only an admin can correct. */
export function refuseInvalid(account: Account): Failure | undefined {
  const problem = findProblem(account);
  if (!problem) return undefined;
  const { field, text } = problem;
  return new Failure(
    'ACCOUNT_INVALID',
    `This account must be corrected: its ${text}. Please contact support.`,
    {
      metadata: { field },
    },
  );
}
