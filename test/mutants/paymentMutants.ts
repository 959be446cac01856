/** Plausible mistakes in payments. See mutants.ts. */
import type { Mutants } from './rules.ts';

const reversals = 'test/shared/payments/reversals.test.ts';
const disputesOfPerson = 'test/shared/payments/disputesOfPerson.test.ts';
const webhook = 'test/shared/payments/webhook.test.ts';
const amounts = 'test/shared/payments/amounts.test.ts';
const checkout = 'test/shared/payments/checkout.test.ts';
const races = 'test/shared/payments/races.test.ts';
const late = 'test/shared/payments/late.test.ts';
const reconcile = 'test/shared/payments/reconcile.test.ts';
const rules = 'test/shared/ledger/purchaseRules.test.ts';

/** The rules of purchases. Most of these the histories notice. */
export const inPurchases: Mutants = {
  'a claim is counted in doubles and rounded up': {
    find: 'Number((BigInt($C) * BigInt($T)) / BigInt($A))',
    replace: 'Math.ceil(($C * $T) / $A)',
    killedBy: rules,
  },
  'refunds and disputes together claim more than was paid': {
    find: 'Math.min($A, sum($R) + sum($D))',
    replace: 'sum($R) + sum($D)',
  },
  'a clawback takes more than there is': {
    find: 'const taken = Math.min($A, difference)',
    replace: 'const taken = difference;',
  },
  'what a clawback cannot take is forgotten': {
    find: '{ ...$A, debt: $A.debt + $D - $T }',
    replace: '{ ...$A }',
  },
  'an event that comes late takes what was given back': {
    find: 'if ($K.reinstatement) return $C',
    replace: '',
  },
  'a repeated event takes again': {
    find: 'if (!$K.clawback) $C = take($C, $R, $N)',
    replace: '$C = take($C, $R, $N);',
    killedBy: reversals,
  },
  'a reinstatement comes without its clawback': {
    find: 'if (!$K.clawback) $C = take($C, $R, $N)',
    replace: 'if (!$K.clawback && !$R.isReturned) $C = take($C, $R, $N);',
    killedBy: reversals,
  },
  'a dispute does not suspend': {
    find: "reversal.kind === 'dispute' ? { ...$M, account: suspendFor($$$A) } : $N",
    replace: '$N',
    killedBy: reversals,
  },
  "a dispute takes over an admin's suspension": {
    find: 'if ($A.suspended && $A.suspendedFor.length === 0) return $A',
    replace: '',
    killedBy: reversals,
  },
  'one dispute that is won restores although another stands': {
    find: 'decideSuspension($A, left.length > 0, $N, left)',
    replace: 'decideSuspension($A, false, $N)',
    killedBy: reversals,
  },
  'a dispute forgets those of other accounts of the person': {
    find: 'decideSuspension($A, true, $N, [...before, $D])',
    replace: 'decideSuspension($A, true, $N, [$D])',
    killedBy: disputesOfPerson,
  },
};

/** Debts, in the rules of credit and in the runner. */
export const inDebts: Mutants = {
  'credits are added before debt is paid': {
    find: 'if (paid <= 0) return $A',
    replace: 'return $A;',
    killedBy: reversals,
  },
  'more debt is paid than credits were added': {
    find: 'Math.min($A.debt, $E.amount)',
    replace: '$E.amount > 0 ? $A.debt : 0',
  },
};

/** Stripe's events, sessions and lists. */
export const inPayments: Mutants = {
  'a payment of another amount counts': {
    find: '$P !== $O.amount || $C !== $D.currency || $A === null || $I === null',
    replace: '$C !== $D.currency || $A === null || $I === null',
    killedBy: amounts,
  },
  'a payment in another currency counts': {
    find: '$P !== $O.amount || $C !== $D.currency || $A === null || $I === null',
    replace: '$P !== $O.amount || $A === null || $I === null',
    killedBy: amounts,
  },
  'tax counts as a part of the price': {
    find: '($A ?? 0) - tax',
    replace: '($A ?? 0)',
    killedBy: amounts,
  },
  "another studio's session counts": {
    find: '$D?.project === $P ? $D : undefined',
    replace: '$D',
    killedBy: webhook,
  },
  'a session that is not paid yet counts': {
    find: "!$O || $S.payment_status === 'unpaid'",
    replace: '!$O',
    killedBy: webhook,
  },
  'a refund that is on its way takes': {
    find: "!$R && $S !== 'succeeded'",
    replace: '!$R && $S === null',
    killedBy: reversals,
  },
  'a lost dispute gives everything back': {
    find: "if ($S !== 'lost') return 0",
    replace: 'return 0;',
    killedBy: reversals,
  },
  'a dispute is compared with what came back in another currency': {
    find: 'Math.round(($A * Math.max(0, -$S)) / $T)',
    replace: 'Math.min($A, Math.max(0, -$S))',
    killedBy: reversals,
  },
  'a payment counts as paid however late it is recorded': {
    find: "if ($N && !$K && isLate($O, $T)) return { answer: 'late' }",
    replace: '',
    killedBy: late,
  },
  'a closed account is credited': {
    find: 'isNew && $A.closedAt',
    replace: 'false',
    killedBy: races,
  },
  'a signature may be a day old': {
    find: 'const toleranceSeconds = $N',
    replace: 'const toleranceSeconds = 86_400;',
    killedBy: webhook,
  },
  'bytes that are no text fit the signature of other ones': {
    find: 'if (!isUtf8($P)) return false',
    replace: '',
    killedBy: webhook,
  },
  'a late purchase is recorded without the refunds that Stripe lists': {
    find: '[...$K.reversals, ...$L]',
    replace: '$K.reversals',
    killedBy: late,
  },
  'a refund counts with what an admin has written into the purchase': {
    find: '{ credits: $O.credits, amount, refunds, disputes }',
    replace: '{ ...parseDocument(purchaseSchema, document), refunds, disputes }',
    killedBy: amounts,
  },
  'only the first secret is tried': {
    find: 'for (const secret of $S) { $$$B }',
    replace: 'for (const secret of $S.slice(0, 1)) { $$$B }',
    killedBy: webhook,
  },
  'each user has the same keys at Stripe': {
    find: 'hash([$U.uid, $K, $C])',
    replace: 'hash([$K, $C.slice(0, 3)])',
    killedBy: checkout,
  },
  'each purchase makes a customer': {
    find: '$A.customers.at(-1) ?? (await $F($$$P))',
    replace: '(await $F($$$P))',
    killedBy: checkout,
  },
  'a suspended user may buy': {
    find: 'refuseClosed($A) ?? refuseSuspended($A) ?? refuseTerms($A, $V) ?? refuseUnverified($A, $U)',
    replace: 'refuseClosed($A) ?? refuseTerms($A, $V) ?? refuseUnverified($A, $U)',
    killedBy: checkout,
  },
  'prices are lost while Stripe fails': {
    find: 'failure = error',
    replace: 'failure = error; known = undefined;',
    killedBy: checkout,
  },
  'an inquiry takes money': {
    find: 'if (!$T.some(({ amount }) => amount < 0)) return undefined',
    replace: '',
    killedBy: reconcile,
  },
  'a run of the comparison begins again each time': {
    find: 'parseCursor(await $R($L, $J)) ?? $S',
    replace: '$S',
    killedBy: reconcile,
  },
  'a purchase without a payment is not reported': {
    find: "$S && $S.payment_status !== 'unpaid'",
    replace: 'true',
    killedBy: reconcile,
  },
};

/** The functions themselves. */
export const inPaymentFunctions: Mutants = {
  'an event of the other mode counts': {
    find: '$E.livemode !== $S.livemode',
    replace: '$E.livemode === undefined',
    killedBy: webhook,
  },
  "somebody else's session is confirmed": {
    find: 'parseOrder($S, $P)?.uid !== $U',
    replace: '$U === undefined',
    killedBy: checkout,
  },
};
