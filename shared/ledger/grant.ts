import { createHash, randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { GrantRequest } from '../contract/admin.ts';
import { hashIdempotencyKey } from '../core/keyHash.ts';
import { recordAdminAction } from '../database/adminActions.ts';
import { createDocument, type DocumentPath, documentPath } from '../database/database.ts';
import { parseDocument } from '../database/spoiltDocuments.ts';
import { Failure, invalidRequest } from '../errors.ts';
import { type Account, creditsMax } from './account.ts';
import { changeAccount } from './changeAccount.ts';
import type { Documents } from './command.ts';
import { grantCredits } from './creditChanges.ts';
import { debitEntryId, entryPath, refundEntryId } from './entries.ts';
import type { Ledger } from './ledger.ts';
import { insufficientCredits, refuseClosed } from './refusals.ts';

/** The fields of `grants/{hash}`: a grant under its key, so that a repeated call finds it. */
const grantDocumentSchema = z.object({
  uid: z.string(),
  amount: z.int(),
  reason: z.string(),
  actor: z.string(),
  entryId: z.string(),
  /** The generation whose goodwill refund it is. */
  generationId: z.string().optional(),
  /** The id of the one call that made it. */
  owner: z.string(),
  sequence: z.int(),
  balance: z.int(),
  /** Credits of it that paid off debt, if any: by a second entry, after which `sequence` and `balance` are. */
  debtPaid: z.int().optional(),
  createdAt: z.date(),
});
export type GrantRecord = z.infer<typeof grantDocumentSchema>;

const grantPath = (keyHash: string): DocumentPath<GrantRecord> => documentPath(`grants/${keyHash}`);

/**
 * Adds credits to an account or, with a negative amount, takes them; once for each key, whichever admin sends it.
 *
 * Version 0.1.0 hashes a key with its admin. A grant is also stored under that hash and looked for there, so that an
 * admin's two attempts at instances of two versions make one grant.
 *
 * With a generation the grant is its goodwill refund. The entry's id is made of the generation's, so that there is only one.
 * @throws {Failure} NOT_FOUND for a uid without an account, INSUFFICIENT_CREDITS if the balance would fall below zero,
 * INVALID_REQUEST for a generation that cannot be refunded, IDEMPOTENCY_KEY_REUSED, ACCOUNT_INVALID, ACCOUNT_CLOSED,
 * DATABASE_UNAVAILABLE.
 */
export function grantTo(
  ledger: Ledger,
  admin: { uid: string; actor: string },
  key: string,
  { uid, amount, reason, generationId }: GrantRequest,
): Promise<{ grant: GrantRecord; replayed: boolean }> {
  const { actor } = admin;
  const keyHash = hashIdempotencyKey(key);
  const path = grantPath(keyHash);
  const oldPath = grantPath(hash(JSON.stringify([admin.uid, key])));
  const entryId = generationId === undefined ? `grant:${keyHash}` : goodwillEntryId(generationId);
  const goodwill = generationId === undefined ? undefined : toGoodwill(uid, generationId);
  const attemptId = randomUUID();
  const of = generationId === undefined ? {} : { generationId };

  function findAnswer(documents: Documents) {
    const document = documents.get(path) ?? documents.get(oldPath);
    if (!document) return undefined;
    const grant = parseDocument(grantDocumentSchema, document);
    if (grant.uid !== uid || grant.amount !== amount || grant.generationId !== generationId)
      return { refusal: keyReused() };
    return { answer: { grant, replayed: grant.owner !== attemptId } };
  }

  return changeAccount(ledger, uid, {
    reads: () => [path, oldPath, ...(goodwill?.paths ?? [])],
    findAnswer,
    missing: { refusal: new Failure('NOT_FOUND', 'There is no such account.') },
    decide({ account, documents, now }) {
      const refusal =
        refuseClosed(account) ?? goodwill?.refuse(documents, amount) ?? refuseGrant(account, amount);
      if (refusal) return { refusal };
      const change = grantCredits(account, { id: entryId, amount, reason, actor, ...of });
      const { sequence, ledgerBalance: balance } = change.account;
      const debtPaid = account.debt - change.account.debt;
      const record = { uid, amount, reason, actor, ...of, entryId, sequence, balance, createdAt: now };
      const grant = { ...record, owner: attemptId, ...(debtPaid > 0 && { debtPaid }) };
      return {
        change,
        writes: [
          createDocument(path, grant),
          createDocument(oldPath, grant),
          recordAdminAction(keyHash, { action: 'grant', actor, uid, amount, ...of, reason, createdAt: now }),
        ],
        answer: () => ({ grant, replayed: false }),
      };
    },
  });
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32);

const goodwillEntryId = (generationId: string) => `${generationId}:goodwill`;

/** What a goodwill refund of a generation needs to know, and when it is refused. */
function toGoodwill(uid: string, generationId: string) {
  const generation = `accounts/${uid}/generations/${generationId}`;
  const debit = entryPath(uid, debitEntryId(generationId));
  const refund = entryPath(uid, refundEntryId(generationId));
  const done = entryPath(uid, goodwillEntryId(generationId));

  function refuse(documents: Documents, amount: number): Failure | undefined {
    const status = documents.get(generation)?.data.status;
    const price = -Number(documents.get(debit)?.data.amount ?? 0);
    const refused = (field: string, description: string) => invalidRequest([{ field, description }]);
    if (documents.get(done)) return refused('generationId', 'has had its goodwill refund');
    if (status === 'pending') return refused('generationId', 'is still running');
    if (status === 'refunded' || documents.get(refund)) return refused('generationId', 'is refunded already');
    if (!(price > 0) || (status !== 'succeeded' && status !== 'deleted')) {
      return refused('generationId', 'is not a generation that this account has paid for');
    }
    if (amount < 1 || amount > price) {
      return refused('amount', `must be from 1 to ${price}, the price of the generation`);
    }
    return undefined;
  }

  return { paths: [generation, debit, refund, done], refuse };
}

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
