import { type Entry, grantAnswerSchema, grantRequestSchema } from '../shared/contract.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { type GrantRecord, grantTo } from '../shared/ledger/grant.ts';

/** Adds credits to an account, or takes them; once for each Idempotency-Key. */
export const grant = endpoint({
  method: 'POST',
  access: 'admin',
  keyed: true,
  input: grantRequestSchema,
  answer: grantAnswerSchema,
  async run({ caller, input, idempotencyKey, note }, studio) {
    const { grant, replayed } = await grantTo(await studio.books(), caller, idempotencyKey, input);
    note({ uid: grant.uid, amount: grant.amount, replayed });
    const { uid, balance, sequence } = grant;
    const body = { account: { uid, balance, sequence }, entry: entryOf(grant) };
    return replayed ? { body, headers: { 'Idempotent-Replayed': 'true' } } : { body };
  },
});

function entryOf({ entryId, sequence, amount, balance, reason, actor, createdAt }: GrantRecord): Entry {
  const at = createdAt.toISOString();
  return { id: entryId, sequence, type: 'grant', amount, balance, reason, actor, createdAt: at };
}
