import { createHash, randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Admin } from '../auth.ts';
import type { GrantRequest } from '../contract.ts';
import { Failure, invalidRequest } from '../errors.ts';
import {
  type Account,
  accountInvalid,
  andThen,
  changeWrites,
  creditsMax,
  type EntryDraft,
  grantCredits,
  insufficientCredits,
  invalidField,
  recordEdit,
} from './credits.ts';
import { accountIn, accountPath, changeAccount, createAccount, type Ledger, newestEntry } from './ledger.ts';

/** A grant as it is kept under its key, wherever that key was used. */
const grantDocumentSchema = z.object({
  uid: z.string(),
  amount: z.int(),
  reason: z.string(),
  actor: z.string(),
  entryId: z.string(),
  owner: z.string(),
  sequence: z.int(),
  balance: z.int(),
  createdAt: z.date(),
});
export type GrantRecord = z.infer<typeof grantDocumentSchema>;

/**
 * Adds credits to an account, or with a negative amount takes them; once for each key of an admin's.
 * @throws {Failure} NOT_FOUND for a uid nobody has seen, INSUFFICIENT_CREDITS below zero,
 * IDEMPOTENCY_KEY_REUSED, ACCOUNT_INVALID, DATABASE_UNAVAILABLE.
 */
export async function grantTo(
  ledger: Ledger,
  admin: Admin,
  key: string,
  { uid, amount, reason }: GrantRequest,
): Promise<{ grant: GrantRecord; replayed: boolean }> {
  const keyHash = createHash('sha256')
    .update(JSON.stringify([admin.uid, key]))
    .digest('hex')
    .slice(0, 32);
  const grantPath = `grants/${keyHash}`;
  const { actor } = admin;
  const owner = randomUUID();
  return changeAccount(ledger, uid, async ({ database }) => {
    const { documents, readTime: now } = await database.read([accountPath(uid), grantPath]);
    const [accountDocument, grantDocument] = documents;
    if (grantDocument) {
      const grant = grantDocumentSchema.parse(grantDocument.data);
      if (grant.uid !== uid || grant.amount !== amount) throw keyReused();
      return { grant, replayed: grant.owner !== owner };
    }
    if (!accountDocument) {
      if (await newestEntry(database, accountPath(uid))) return createAccount(ledger, uid, now);
      throw new Failure('NOT_FOUND', 'There is no such account.');
    }
    const account = await accountIn(ledger, accountDocument);
    const invalid = invalidField(account);
    if (invalid) throw accountInvalid(invalid);

    const edited = recordEdit(account);
    const refusal = refuseGrant(edited.account, amount);
    if (refusal) {
      if (edited.account !== account) await database.commit(changeWrites(account, edited, now));
      throw refusal;
    }
    const entryId = `grant:${keyHash}`;
    const change = andThen(edited, (ready) => grantCredits(ready, { id: entryId, amount, reason, actor }));
    const { sequence, balance } = change.entries.at(-1) as EntryDraft;
    const grant = { uid, amount, reason, actor, entryId, owner, sequence, balance, createdAt: now };
    await database.commit([...changeWrites(account, change, now), { create: grantPath, data: grant }]);
    return { grant, replayed: false };
  });
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
