/** Users who were deleted in Firebase Authentication: their accounts are closed, but not at the first look. */
import { createDocument, removed, updateDocument } from '../database/database.ts';
import { beginClosing } from '../ledger/beginClosing.ts';
import { closurePath, parseClosure } from '../ledger/closures.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** Time between the two looks that close an account, at least; milliseconds. */
const missingMsMin = 86_400_000;
/** More missing users than this at one look, and more than half of it, are no deletions: the look is wrong. */
const missingMax = 10;

/**
 * Notes which users are missing, closes the accounts of those who were missing before, and forgets those who are back. A
 * failure is logged, and the next user follows.
 * @param uids open accounts. @param missing those of them that have no user.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export async function closeMissing(
  ledger: Ledger,
  uids: readonly string[],
  missing: readonly string[],
): Promise<void> {
  if (missing.length > missingMax && missing.length > uids.length / 2) {
    ledger.log.error('Most users are missing: their accounts stay open', {
      event: 'users_missing',
      missing: missing.length,
      of: uids.length,
    });
    return;
  }
  const { documents } = await ledger.retryCommit(undefined, () =>
    ledger.database.read(uids.map(closurePath)),
  );
  const isMissing = new Set(missing);
  for (const [i, uid] of uids.entries()) {
    if (!isMissing.has(uid) && !documents[i]) continue;
    try {
      if (await noteUser(ledger, uid, isMissing.has(uid))) await beginClosing(ledger, uid);
    } catch (error) {
      ledger.log.error('A missing user could not be noted', { uid, error });
    }
  }
}

/** Notes whether a user is missing. @returns true if the account is to be closed. */
function noteUser({ database, retryCommit }: Ledger, uid: string, isMissing: boolean): Promise<boolean> {
  const path = closurePath(uid);
  return retryCommit(undefined, async () => {
    const { documents, readTime: now } = await database.read([path]);
    const [document] = documents;
    const closure = document && parseClosure(document);
    if (closure && closure.status !== 'open') return false;
    const since = closure?.missingSince;
    if (isMissing && since) return now.getTime() - since.getTime() >= missingMsMin;
    if (!isMissing && !since) return false;
    const fields = { missingSince: isMissing ? now : removed, updatedAt: now } as const;
    await database.commit([
      document
        ? updateDocument(path, fields, document.version)
        : createDocument(path, {
            status: 'open',
            cause: 'missing',
            missingSince: now,
            step: '',
            after: null,
            createdAt: now,
            updatedAt: now,
          }),
    ]);
    return false;
  });
}
