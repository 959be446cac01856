import { createHash, randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { GrantRequest } from '../contract.ts';
import { createDocument, type DocumentPath, documentPath } from '../database/database.ts';
import { Failure, invalidRequest } from '../errors.ts';
import { type Account, creditsMax } from './account.ts';
import { changeAccount } from './changeAccount.ts';
import type { Documents } from './command.ts';
import { grantCredits, insufficientCredits, refuseClosed } from './credits.ts';
import type { Ledger } from './ledger.ts';

/** The fields of `grants/{hash}`: a grant under its key, so that a repeated call finds it. */
const grantDocumentSchema = z.object({
  uid: z.string(),
  amount: z.int(),
  reason: z.string(),
  actor: z.string(),
  entryId: z.string(),
  /** The id of the one call that made it. */
  owner: z.string(),
  sequence: z.int(),
  balance: z.int(),
  /** Credits of it that paid off debt, if any: by a second entry, after which `sequence` and `balance` are. */
  debtPaid: z.int().optional(),
  createdAt: z.date(),
});
export type GrantRecord = z.infer<typeof grantDocumentSchema>;

/** The id of a grant's entry is this and the name of its document. */
export const grantEntryPrefix = 'grant:';

export const grantPath = (keyHash: string): DocumentPath<GrantRecord> => documentPath(`grants/${keyHash}`);

/**
 * Adds credits to an account or, with a negative amount, takes them; once for each key, whichever admin sends it.
 *
 * Version 0.1.0 hashes a key with its admin. A grant is also stored under that hash and looked for there, so that an
 * admin's two attempts at instances of two versions make one grant.
 * @throws {Failure} NOT_FOUND for a uid without an account, INSUFFICIENT_CREDITS if the balance would fall below zero,
 * IDEMPOTENCY_KEY_REUSED, ACCOUNT_INVALID, ACCOUNT_CLOSED, DATABASE_UNAVAILABLE.
 */
export function grantTo(
  ledger: Ledger,
  admin: { uid: string; actor: string },
  key: string,
  { uid, amount, reason }: GrantRequest,
): Promise<{ grant: GrantRecord; replayed: boolean }> {
  const { actor } = admin;
  const keyHash = hash(JSON.stringify([key]));
  const path = grantPath(keyHash);
  const oldPath = grantPath(hash(JSON.stringify([admin.uid, key])));
  const entryId = `${grantEntryPrefix}${keyHash}`;
  const attemptId = randomUUID();

  function findAnswer(documents: Documents) {
    const document = documents.get(path) ?? documents.get(oldPath);
    if (!document) return undefined;
    const grant = grantDocumentSchema.parse(document.data);
    if (grant.uid !== uid || grant.amount !== amount) return { refusal: keyReused() };
    return { answer: { grant, replayed: grant.owner !== attemptId } };
  }

  return changeAccount(ledger, uid, {
    reads: () => [path, oldPath],
    findAnswer,
    missing: { refusal: new Failure('NOT_FOUND', 'There is no such account.') },
    decide({ account, now }) {
      const refusal = refuseClosed(account) ?? refuseGrant(account, amount);
      if (refusal) return { refusal };
      const change = grantCredits(account, { id: entryId, amount, reason, actor });
      const { sequence, ledgerBalance: balance } = change.account;
      const debtPaid = account.debt - change.account.debt;
      const record = { uid, amount, reason, actor, entryId, sequence, balance, createdAt: now };
      const grant = { ...record, owner: attemptId, ...(debtPaid > 0 && { debtPaid }) };
      return {
        change,
        writes: [createDocument(path, grant), createDocument(oldPath, withoutText(grant))],
        answer: () => ({ grant, replayed: false }),
      };
    },
  });
}

/** Closing erases the texts of a grant, which it finds by the id of the entry alone. */
const withoutText = (grant: GrantRecord): GrantRecord => ({ ...grant, reason: '', actor: '' });

const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32);

function refuseGrant(account: Account, amount: number): Failure | undefined {
  const balance = account.balance ?? 0;
  if (balance + amount < 0) return insufficientCredits(-amount, balance);
  if (balance + amount > creditsMax) {
    return invalidRequest([{ field: 'amount', description: `would bring the balance over ${creditsMax}` }]);
  }
  return undefined;
}

function keyReused(): Failure {
  return new Failure('IDEMPOTENCY_KEY_REUSED', 'This Idempotency-Key was used for another grant.');
}
