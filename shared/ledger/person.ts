/**
 * The person behind an account: one document for each identity, which outlives the account. It holds what a person gets
 * once, and a suspension, so that neither starts again under another uid. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import {
  createDocument,
  type DocumentPath,
  documentPath,
  type FieldUpdates,
  removed,
  type StoredDocument,
  updateDocument,
  type Write,
} from '../database/database.ts';
import type { Identity } from '../identity.ts';
import type { Account } from './account.ts';
import { isPast } from './allowancePeriod.ts';

/** Most accounts that an identity lists: the newest ones. */
const uidsMax = 100;

/** The fields of `identities/{hash}`. It holds no address. */
const identityDocumentSchema = z.object({
  /** The accounts of the person, in the order of their first use. */
  uids: z.array(z.string()).catch([]),
  /** When signup credits were granted, or would have been. */
  signupAt: z.date().optional().catch(undefined),
  suspendedAt: z.date().optional().catch(undefined),
  /** The newest period whose allowance was given. */
  allowancePeriod: z.string().optional().catch(undefined),
  createdAt: z.date().optional().catch(undefined),
  updatedAt: z.date().optional().catch(undefined),
});
type IdentityData = z.infer<typeof identityDocumentSchema>;

export const identityPath = (hash: string): DocumentPath<IdentityData> => documentPath(`identities/${hash}`);

/** What is known of a person, from all of their identities. */
export type Person = {
  /** The hashes that name the person's documents. */
  hashes: readonly string[];
  documents: ReadonlyMap<string, StoredDocument | undefined>;
  hasHadSignup: boolean;
  isSuspended: boolean;
  allowancePeriod: string | undefined;
  /** Every account of the person that is known. */
  uids: readonly string[];
};

/** The hashes of an account, with those of a sign-in added. An older key's hash gives way to the current one. */
export function addHashes(hashes: readonly string[], identities: readonly Identity[]): string[] {
  const older = new Set(identities.flatMap(([, ...rest]) => rest));
  const kept = hashes.filter((hash) => !older.has(hash));
  return [...new Set([...kept, ...identities.map(([current]) => current)])];
}

/** Every document that may tell about the person. */
export const listIdentityPaths = (hashes: readonly string[], identities: readonly Identity[]): string[] => [
  ...new Set([...hashes, ...identities.flat()].map(identityPath)),
];

/**
 * The person behind an account's hashes and a sign-in. An identity that has no document under the current key is taken from
 * the first older key that has one.
 */
export function parsePerson(
  accountHashes: readonly string[],
  identities: readonly Identity[],
  documents: ReadonlyMap<string, StoredDocument | undefined>,
): Person {
  const hashes = addHashes(accountHashes, identities);
  const older = new Map(identities.map(([current, ...rest]) => [current, rest]));
  const facts = hashes.flatMap((hash) => {
    const candidates = [hash, ...(older.get(hash) ?? [])];
    const document = candidates.map((each) => documents.get(identityPath(each))).find((each) => each);
    return document ? [identityDocumentSchema.parse(document.data)] : [];
  });
  const periods = facts.flatMap(({ allowancePeriod }) => allowancePeriod ?? []);
  return {
    hashes,
    documents,
    hasHadSignup: facts.some(({ signupAt }) => signupAt !== undefined),
    isSuspended: facts.some(({ suspendedAt }) => suspendedAt !== undefined),
    allowancePeriod: periods.reduce<string | undefined>(laterPeriod, undefined),
    uids: [...new Set(facts.flatMap(({ uids }) => uids))],
  };
}

/** The later of two periods. A period of another kind, from before a change of the configuration, gives way. */
function laterPeriod(known: string | undefined, other: string | undefined): string | undefined {
  if (known === undefined || other === undefined) return known ?? other;
  return isPast(other, known) ? known : other;
}

/**
 * An account with what is known of its person: the identities, a suspension and the last allowance. A suspension that
 * an admin has just set or lifted in the console counts for the person.
 */
export function joinPerson(account: Account, person: Person): Account {
  const isEdited = account.suspended !== account.knownSuspended;
  const suspended = isEdited ? account.suspended : account.suspended || person.isSuspended;
  const joined: Account = {
    ...account,
    identities: isDeepStrictEqual(account.identities, person.hashes) ? account.identities : person.hashes,
    suspended,
    knownSuspended: suspended,
    allowancePeriod: laterPeriod(account.allowancePeriod, person.allowancePeriod),
  };
  return isDeepStrictEqual(joined, account) ? account : joined;
}

/** The writes that bring the person's documents up to date with an account. */
export function toIdentityWrites(account: Account, person: Person, now: Date): Write[] {
  return person.hashes.flatMap((hash): Write[] => {
    const path = identityPath(hash);
    const stored = person.documents.get(path);
    const before = stored && identityDocumentSchema.parse(stored.data);
    const uids = before?.uids.includes(account.uid) ? before.uids : [...person.uids, account.uid];
    const data = {
      uids: [...new Set(uids)].slice(-uidsMax),
      ...optional('signupAt', account.signupDue ? before?.signupAt : (before?.signupAt ?? now)),
      ...optional('suspendedAt', account.suspended ? (before?.suspendedAt ?? now) : undefined),
      ...optional('allowancePeriod', account.allowancePeriod),
    };
    if (!stored) return [createDocument(path, { ...data, createdAt: now, updatedAt: now })];
    const { createdAt, updatedAt, ...known } = before as IdentityData;
    if (isDeepStrictEqual(known, data)) return [];
    const update: FieldUpdates<IdentityData> = { ...data, updatedAt: now };
    if (!account.suspended) update.suspendedAt = removed;
    return [updateDocument(path, update, stored.version)];
  });
}

const optional = <K extends string, V>(key: K, value: V | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { [Key in K]?: V };
