/** The first commit of a closing. The rest is in `shared/people/`. */
import { createDocument, setDocument } from '../database/database.ts';
import { recordErasure } from '../erasures/erasures.ts';
import { changeAccount } from './changeAccount.ts';
import { type ClosureData, closurePath, parseClosure } from './closures.ts';
import { commitPending, type LedgerUser } from './command.ts';
import { unchanged } from './creditChanges.ts';
import type { Ledger } from './ledger.ts';

/**
 * Closes an account to everything that costs credits, and makes the sweep erase the person. May be repeated.
 * @param user set if the user closes the account. A missing account is then created, so that it stays closed.
 * @returns undefined if there is no account.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export function beginClosing(
  ledger: Ledger,
  uid: string,
  user?: LedgerUser,
): Promise<ClosureData['status'] | undefined> {
  const path = closurePath(uid);
  return changeAccount<ClosureData['status'] | undefined>(ledger, uid, {
    ...(user && { user }),
    reads: () => [path],
    missing: user ? 'create' : { answer: undefined },
    takesInvalid: true,
    decide({ account, hasPendingChanges, documents, now }) {
      const document = documents.get(path);
      const closure = document && parseClosure(document);
      if (account.closedAt && closure && closure.status !== 'open') {
        return commitPending({ account, hasPendingChanges }, closure.status);
      }
      const cause = user ? 'user' : 'missing';
      const missingSince = user ? undefined : closure?.missingSince;
      const data: ClosureData = {
        status: 'closing',
        cause,
        ...(missingSince && { missingSince }),
        step: '',
        after: null,
        createdAt: now,
        updatedAt: now,
      };
      return {
        change: unchanged({ ...account, closedAt: account.closedAt ?? now }),
        writes: [
          document ? setDocument(path, data) : createDocument(path, data),
          recordErasure({ kind: 'closing', uid, at: now }),
        ],
        answer: () => 'closing',
      };
    },
  });
}
