/** What must hold of an account's payments at rest. */
import type { Data, StoredDocument } from '../../shared/database/database.ts';
import { computeClaim, type PurchaseData } from '../../shared/ledger/purchaseRules.ts';

type Documents = { account: Data | undefined; entries: StoredDocument[]; purchases: StoredDocument[] };

const sum = (amounts: readonly number[]) => amounts.reduce((total, amount) => total + amount, 0);

/** The broken invariants, in words; empty if there are none. */
export function findBrokenPayments({ account, entries, purchases }: Documents): string[] {
  const broken: string[] = [];
  const check = (holds: boolean, message: string) => void (holds || broken.push(message));
  const amounts = (types: string[]) =>
    sum(
      entries.filter(({ data }) => types.includes(String(data.type))).map(({ data }) => Number(data.amount)),
    );
  const { balance = 0, debt = 0 } = (account ?? {}) as { balance?: number; debt?: number };
  const held = sum(
    purchases.map(({ data }) => (data as PurchaseData).credits - (data as PurchaseData).claim),
  );
  const moved = amounts(['purchase', 'clawback', 'reinstatement']);
  check(moved - debt === held, `the entries moved ${moved}, Stripe holds ${held}, the debt is ${debt}`);
  check(Number.isSafeInteger(balance) && balance >= 0, `the balance is ${balance}`);
  check(Number.isSafeInteger(debt) && debt >= 0, `the debt is ${debt}`);
  for (const { id, data } of purchases) {
    const purchase = data as PurchaseData;
    check(purchase.claim === computeClaim(purchase), `${id} claims ${purchase.claim}`);
    check(purchase.claim <= purchase.credits, `${id} claims more than it gave`);
    check(
      entries.some((entry) => entry.id === `purchase:${id}`),
      `${id} has no entry`,
    );
  }
  const ids = entries.map(({ id }) => id);
  for (const id of ids.filter((one) => one.startsWith('reinstatement:') && !one.endsWith(':debt'))) {
    check(ids.includes(id.replace('reinstatement:', 'clawback:')), `${id} gives back what was never taken`);
  }
  return broken;
}
