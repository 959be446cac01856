/** What the ledger says about an entry: its name, and what is beside it. */
import type { AccountView, Entry } from '../../shared/contract.ts';
import { credits as creditTexts } from './en/credits.ts';
import { explanations } from './en/explanations.ts';
import { dayText } from './format.ts';

/** Stripe's prefixes: what took the credits of a payment, or restored them. */
const isOfDispute = (id: string) => /^(clawback|reinstatement):(du|dp)_/.test(id);
const isOfRefund = (id: string) => /^(clawback|reinstatement):(re|pyr)_/.test(id);

function paymentEntryText({ id, type }: Entry): string {
  const { debtPaidOff, paymentRefunded, refundFailed, paymentDisputed, disputeEnded } = creditTexts;
  if (id.endsWith(':debt')) return debtPaidOff;
  if (isOfRefund(id)) return type === 'clawback' ? paymentRefunded : refundFailed;
  if (isOfDispute(id)) return type === 'clawback' ? paymentDisputed : disputeEnded;
  return creditTexts.entryNames[type];
}

export function entryText(entry: Entry): string {
  const { type, reason, amount } = entry;
  const { entryNames, taken, entryWithReason, refundReasons, studioError } = creditTexts;
  if (type === 'clawback' || type === 'reinstatement') return paymentEntryText(entry);
  if (type === 'grant' && reason === 'signup') return creditTexts.welcome;
  const name = type === 'grant' && amount < 0 ? taken : entryNames[type];
  if (!reason) return name;
  if (type !== 'refund') return entryWithReason(name, reason);
  return entryWithReason(entryNames[type], refundReasons[reason] ?? studioError);
}

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
  const { refundReasons, studioError, refundedAll, goodwill } = creditTexts;
  return entries.flatMap(({ type, amount, reason = '' }) => {
    if (type === 'refund') return refundedAll(refundReasons[reason] ?? studioError);
    return type === 'grant' ? goodwill(amount) : [];
  });
}

export const allowanceText = ({ credits, period, nextAt }: NonNullable<AccountView['allowance']>) =>
  creditTexts.allowance(credits, period, dayText(nextAt));
