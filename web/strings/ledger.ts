/** What the ledger says about an entry beside its name. */
import type { Entry } from '../../shared/contract.ts';
import { explanations } from './en/explanations.ts';
import { text } from './en.ts';
import { isOfDispute, isOfRefund } from './messages.ts';

/** What happened, in a sentence. Undefined where the name of the entry says it all. */
export function entryExplanation({ id, type, reason }: Entry): string | undefined {
  if (id.endsWith(':debt')) return explanations.debt;
  const isTaken = type === 'clawback';
  if (isOfRefund(id)) return isTaken ? explanations.refund : explanations.refundFailed;
  if (isOfDispute(id)) return isTaken ? explanations.dispute : explanations.disputeEnded;
  if (type === 'grant' && reason === 'signup') return explanations.signup;
  return type in explanations ? explanations[type as keyof typeof explanations] : undefined;
}

/** What became of an image beside its price: why it was refunded, and what support has returned. */
export function imageOutcomes(entries: readonly Entry[]): string[] {
  const { refundReasons, studioError, refundedAll, goodwill } = text.credits;
  return entries.flatMap(({ type, amount, reason = '' }) => {
    if (type === 'refund') return refundedAll(refundReasons[reason] ?? studioError);
    return type === 'grant' ? goodwill(amount) : [];
  });
}
