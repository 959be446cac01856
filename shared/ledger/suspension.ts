/** A suspension of a person: it reaches the identities, and through them every account. */
import { accountPath, parseAccount } from './account.ts';
import { changeAccount } from './changeAccount.ts';
import { unchanged } from './credits.ts';
import type { Ledger } from './ledger.ts';
import { listIdentityPaths, type Person, parsePerson } from './person.ts';

/**
 * Brings every account of a person to what their identities say. May be repeated; it writes only where something differs.
 * @param uid one of the accounts.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export async function spreadSuspension(ledger: Ledger, uid: string): Promise<void> {
  const person = await findPerson(ledger, uid);
  if (!person) return;
  const paths = person.uids.map(accountPath);
  const { documents } = await ledger.retryCommit(undefined, () => ledger.database.read(paths));
  for (const document of documents) {
    if (!document || parseAccount(document).suspended === person.isSuspended) continue;
    await followPerson(ledger, document.id);
  }
}

async function findPerson({ database, retryCommit }: Ledger, uid: string): Promise<Person | undefined> {
  const read = async (paths: readonly string[]) =>
    (await retryCommit(undefined, () => database.read(paths))).documents;
  const [document] = await read([accountPath(uid)]);
  const hashes = document ? parseAccount(document).identities : [];
  if (hashes.length === 0) return undefined;
  const paths = listIdentityPaths(hashes, []);
  const documents = await read(paths);
  return parsePerson(hashes, [], new Map(paths.map((path, i) => [path, documents[i]])));
}

/** Suspends or restores one account as its person is. An edit in the console that is not recorded yet comes first. */
async function followPerson(ledger: Ledger, uid: string): Promise<void> {
  await changeAccount<void>(ledger, uid, {
    readsPerson: true,
    missing: { answer: undefined },
    takesInvalid: true,
    decide({ account, hasPendingChanges, person }) {
      const suspended = hasPendingChanges ? account.suspended : (person?.isSuspended ?? account.suspended);
      const followed = { ...account, suspended, knownSuspended: suspended };
      return { change: unchanged(followed), answer: () => undefined };
    },
  });
}
