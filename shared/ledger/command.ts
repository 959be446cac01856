/** A command of the ledger: what it needs, and what it decides. `changeAccount` runs it. */
import type { StoredDocument, Version, Write } from '../database/database.ts';
import type { Failure } from '../errors.ts';
import type { Identity } from '../identity.ts';
import type { Account } from './account.ts';
import { type Change, type EntryDraft, unchanged } from './creditChanges.ts';
import type { Person } from './person.ts';

/** The caller, as far as the ledger needs to know. */
export type LedgerUser = {
  uid: string;
  /** A verified address, or none. */
  email: string | undefined;
  /** True if the user is verified, and so receives signup credits. */
  verified: boolean;
  /** What the sign-in proves; empty for a user who is not verified. */
  identities: readonly Identity[];
};

/** The documents that a command has asked for, by path. */
export type Documents = ReadonlyMap<string, StoredDocument | undefined>;

export type AccountState = {
  /** With an admin's edits recorded, and with the signup credits and the allowance that were due. */
  account: Account;
  /** True if that, or the ledger's fields of an account made by hand, must still be written. */
  hasPendingChanges: boolean;
  /** The entries of the pending changes. They are committed before the command's own. */
  pendingEntries: readonly EntryDraft[];
  /** The person behind the account, if it was read. */
  person: Person | undefined;
  documents: Documents;
  /** The database's time of the read. */
  now: Date;
};

/** What a command decides. */
export type Decision<T> =
  /** Nothing is written. */
  | { answer: T }
  /** Pending changes of the account are committed, then the refusal is thrown. */
  | { refusal: Failure }
  /** Documents to read as well, before the command decides again. */
  | { read: readonly string[] }
  /** The change and further writes, committed together; `answer` receives the version of all of them. */
  | { change: Change; writes?: readonly Write[]; answer: (version: Version) => T };

/** The decision to answer, and to commit the pending changes if there are any. */
export const commitPending = <T>(
  { account, hasPendingChanges }: Pick<AccountState, 'account' | 'hasPendingChanges'>,
  answer: T,
): Decision<T> => (hasPendingChanges ? { change: unchanged(account), answer: () => answer } : { answer });

export type Command<T> = {
  /** Set if this is the user's own call: it creates the account, and gives signup credits and an allowance that are due. */
  user?: LedgerUser;
  /** Whether an allowance that is due is given; by default at the user's own call. */
  givesAllowance?: boolean;
  /** Whether the person's documents are read even if nothing of theirs is due. */
  readsPerson?: boolean;
  /** Who made an edit in the console, if known. */
  editor?: string | undefined;
  /** Paths of the documents that it needs besides the account. `isRetry` is true after the first attempt. */
  reads?(isRetry: boolean): readonly string[];
  /** The answer to a repeated or impossible call. It comes before every check of the account. */
  findAnswer?(documents: Documents, now: Date): { answer: T } | { refusal: Failure } | undefined;
  /**
   * If there is no account: create it, or answer. A refusal applies only to an account that never existed: one that
   * was deleted in the console still has entries and is created again.
   */
  missing: 'create' | { answer: T } | { refusal: Failure };
  /** Whether the command can go on with an account that only an admin can correct; otherwise ACCOUNT_INVALID. */
  takesInvalid?: boolean;
  decide(state: AccountState): Decision<T>;
};
