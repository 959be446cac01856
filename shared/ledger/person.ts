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
  isDocumentId,
  type PageRequest,
  removed,
  type StoredDocument,
  updateDocument,
  type Write,
} from '../database/database.ts';
import type { Identity } from '../identity.ts';
import type { Account } from './account.ts';
import { findNewestPeriod } from './allowancePeriod.ts';
import { joinSuspensions } from './suspensionRules.ts';

/** Most accounts that an identity lists: the newest ones. */
export const uidsMax = 1_000;

/** A time that an admin has replaced by anything else still says that it happened. The console's null says nothing. */
const happenedSchema = z
  .date()
  .nullable()
  .catch(new Date(0))
  .transform((time) => time ?? undefined)
  .optional();

/** The fields of `identities/{hash}`. It holds no address. */
const identityDocumentSchema = z.object({
  /** The accounts of the person, in the order of their first use. */
  uids: z
    .array(z.unknown())
    .catch([])
    .transform((uids) => uids.filter(isUid)),
  /** When signup credits were granted, or would have been. */
  signupAt: happenedSchema,
  suspendedAt: happenedSchema,
  restoredAt: z.date().optional().catch(undefined),
  /** The disputes that suspended the person. Missing if an admin did. */
  suspendedFor: z
    .array(z.unknown())
    .catch([])
    .transform((disputes) => disputes.filter((dispute) => typeof dispute === 'string'))
    .transform((disputes) => (disputes.length > 0 ? disputes : undefined))
    .optional(),
  /** The newest period whose allowance was given. */
  allowancePeriod: z.string().optional().catch(undefined),
  createdAt: z.date().optional().catch(undefined),
  updatedAt: z.date().optional().catch(undefined),
});
const isUid = (value: unknown): value is string => typeof value === 'string' && isDocumentId(value);

type IdentityData = z.infer<typeof identityDocumentSchema>;

const identityPath = (hash: string): DocumentPath<IdentityData> => documentPath(`identities/${hash}`);

/** The identities that list an account: they name it even if its document was deleted. */
export const identitiesOf = (uid: string): PageRequest => ({
  collection: 'identities',
  where: [['uids', 'array-contains', uid]],
  orderBy: [['__name__', 'asc']],
  limit: 100,
});

/** @property isMet true if the account does not know the identity yet. */
type IdentityDocument = {
  hash: string;
  isMet: boolean;
  stored: StoredDocument | undefined;
  data: IdentityData | undefined;
};

/** What is known of a person, from all of their identities. */
export type Person = {
  /** Empty if the account has no identities: it is all that is known of its person. */
  identities: readonly IdentityDocument[];
  hasHadSignup: boolean;
  /** Every account of the person that is known. */
  uids: readonly string[];
};

/** The hashes of a sign-in that an account does not have. */
export const findNewIdentities = (hashes: readonly string[], identities: readonly Identity[]): Identity[] =>
  identities.filter(([current]) => !hashes.includes(current));

/** The paths of every document that may tell about the person. */
export const listIdentityPaths = (hashes: readonly string[], identities: readonly Identity[]): string[] => [
  ...new Set([...hashes, ...identities.flat()].map(identityPath)),
];

/**
 * The person behind an account's hashes and a sign-in. A document that an older key has named stays one of the person's, so
 * that accounts which know only its name keep up.
 */
export function parsePerson(
  hashes: readonly string[],
  identities: readonly Identity[],
  documents: ReadonlyMap<string, StoredDocument | undefined>,
): Person {
  const older = identities
    .flatMap(([, ...rest]) => rest)
    .filter((hash) => documents.get(identityPath(hash)) !== undefined);
  const all = new Set([...hashes, ...older, ...identities.map(([current]) => current)]);
  const parsed = [...all].map((hash): IdentityDocument => {
    const stored = documents.get(identityPath(hash));
    const data = stored && identityDocumentSchema.parse(stored.data);
    return { hash, isMet: !hashes.includes(hash), stored, data };
  });
  return {
    identities: parsed,
    hasHadSignup: parsed.some(({ data }) => data?.signupAt !== undefined),
    uids: [...new Set(parsed.flatMap(({ data }) => data?.uids ?? []))],
  };
}

/** True if a document of an identity says that the person is suspended. */
export const isSuspendedIdentity = ({ data }: StoredDocument) =>
  identityDocumentSchema.parse(data).suspendedAt !== undefined;

/**
 * An account with what is known of its person: the identities, a suspension and the last allowance.
 * @param period the name of the current period of allowances.
 */
export function joinPerson(account: Account, { identities }: Person, period: string, now: Date): Account {
  const hashes = identities.map(({ hash }) => hash);
  // One that lists the account is not new to it: the account has lost it, or another account has joined the two.
  const isKnown = ({ hash, data }: IdentityDocument) =>
    account.identities.includes(hash) || data?.uids.includes(account.uid) === true;
  const pick = (known: boolean) =>
    identities.flatMap((identity) => (identity.data && isKnown(identity) === known ? [identity.data] : []));
  const periods = identities.map(({ data }) => data?.allowancePeriod);
  const joined: Account = {
    ...joinSuspensions(account, { known: pick(true), met: pick(false) }, now),
    identities: isDeepStrictEqual(account.identities, hashes) ? account.identities : hashes,
    allowancePeriod: findNewestPeriod([account.allowancePeriod, ...periods], period),
  };
  return isDeepStrictEqual(joined, account) ? account : joined;
}

const suspensionFields = ['suspendedAt', 'restoredAt', 'suspendedFor'] as const;
const keptFields = ['uids', 'signupAt', ...suspensionFields, 'allowancePeriod'] as const;

/** The writes that bring the person's documents up to date with an account. */
export function toIdentityWrites(account: Account, person: Person, now: Date): Write[] {
  const uids = [...new Set([...person.uids, account.uid])].slice(-uidsMax);
  return person.identities.flatMap(({ hash, isMet, stored, data: before }): Write[] => {
    const path = identityPath(hash);
    const data: FieldUpdates<IdentityData> = {
      uids,
      ...toField('signupAt', before?.signupAt ?? (account.signupDue ? undefined : now)),
      ...toField('suspendedAt', account.suspendedAt),
      ...toField('restoredAt', account.restoredAt),
      ...toField('suspendedFor', account.suspendedFor.length > 0 ? account.suspendedFor : undefined),
      ...toField('allowancePeriod', account.allowancePeriod),
    };
    if (!stored || !before)
      return [createDocument(path, { ...(data as { uids: string[] }), createdAt: now, updatedAt: now })];
    const isCurrent = (field: string) =>
      isDeepStrictEqual(before[field as keyof IdentityData], data[field as keyof IdentityData]);
    // Written when it is met, even unchanged: it may say since the read that the person is suspended.
    if (!isMet && keptFields.every(isCurrent)) return [];
    for (const field of suspensionFields) data[field] ??= removed;
    return [updateDocument(path, { ...data, updatedAt: now }, stored.version)];
  });
}

const toField = <K extends string, V>(key: K, value: V | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { [Key in K]?: V };
