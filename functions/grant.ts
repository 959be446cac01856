import { type AdminEntry, grantAnswerSchema, grantRequestSchema } from '../shared/contract/admin.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { type GrantRecord, grantTo } from '../shared/ledger/grant.ts';

/** Adds credits to an account, or takes them, once for each Idempotency-Key. */
export const grant = endpoint({
  method: 'POST',
  access: 'admin',
  requiresIdempotencyKey: true,
  input: grantRequestSchema,
  answer: grantAnswerSchema,
  async run({ caller, input, idempotencyKey, log }, services) {
    log.add({ uid: input.uid, amount: input.amount });
    const { grant, replayed } = await grantTo(await services.ledger(), caller, idempotencyKey, input);
    const { generationId } = grant;
    log.add({ replayed, ...(generationId && { generationId }) });
    const { uid, balance, sequence } = grant;
    const body = { account: { uid, balance, sequence }, entry: toAdminEntry(grant) };
    return replayed ? { body, headers: { 'Idempotent-Replayed': 'true' } } : { body };
  },
});

function toAdminEntry(grant: GrantRecord): AdminEntry {
  const { entryId, amount, reason, actor, createdAt, generationId, debtPaid = 0 } = grant;
  const sequence = grant.sequence - (debtPaid > 0 ? 1 : 0);
  const balance = grant.balance + debtPaid;
  const at = createdAt.toISOString();
  const of = generationId === undefined ? {} : { generationId };
  return { id: entryId, sequence, type: 'grant', amount, balance, ...of, reason, actor, createdAt: at };
}
