/** What the ledger promises of every account, always, at rest: one list of what is broken, empty if nothing is. */

import type { Stack } from './stack.ts';
import { tierCredits } from './tierCredits.ts';

/** Checks an account's books by themselves, reading every entry and generation. */
export async function brokenInvariants(stack: Stack, uid: string): Promise<string[]> {
  const { account, entries, generations } = await stack.ledger(uid);
  const broken: string[] = [];
  const check = (holds: boolean, what: string) => void (holds || broken.push(what));
  const sum = (list: { amount: number }[]) => list.reduce((total, { amount }) => total + amount, 0);

  const { balance, settled, sequence } = account as { balance: unknown; settled: number; sequence: number };
  check(Number.isSafeInteger(balance) && (balance as number) >= 0, `balance is ${balance}`);
  check(sum(entries) === settled, `entries sum to ${sum(entries)}, settled is ${settled}`);
  check(
    entries.every((entry, i) => entry.sequence === i + 1),
    'the sequence has a gap',
  );
  check(entries.length === sequence, `${entries.length} entries, sequence is ${sequence}`);
  let running = 0;
  for (const entry of entries) {
    running += entry.amount;
    check(entry.balance === running, `entry ${entry.id} says balance ${entry.balance}, it is ${running}`);
  }

  const paid = generations
    .filter(({ status }) => status === 'succeeded' || status === 'deleted')
    .reduce((total, { receipt }) => total + receipt.charged, 0);
  const kept = -sum(entries.filter(({ type }) => type === 'debit' || type === 'refund'));
  check(paid === kept, `images cost ${paid}, the ledger kept ${kept}`);
  for (const generation of generations) {
    const of = entries.filter(({ generationId }) => generationId === generation.id).map(({ type }) => type);
    const expected = { pending: 'debit', succeeded: 'debit', deleted: 'debit', refunded: 'debit,refund' }[
      generation.status
    ];
    if (generation.receipt.charged > 0)
      check(of.join() === expected, `${generation.status} generation has entries ${of.join()}`);
    const prices = generation.cached ? [0] : Object.values(tierCredits);
    check(prices.includes(generation.credits), 'a price of no tier');
    const charged = generation.cached ? 0 : generation.credits;
    check(generation.receipt.charged === charged, `charged ${generation.receipt.charged} for ${charged}`);
    if (generation.cached) check(of.length === 0, `a cached generation has entries ${of.join()}`);
  }
  return broken;
}

/** The images that succeeded generations of these users show and the store does not have. */
export async function missingImages(stack: Stack, uids: string[]): Promise<string[]> {
  const ledger = await Promise.all(uids.map((uid) => stack.ledger(uid)));
  const shown = ledger.flatMap(({ generations }) =>
    generations.filter(({ status }) => status === 'succeeded'),
  );
  return shown.map(({ publicId }) => publicId).filter((id) => !stack.cloudinary.assets.has(id));
}

/** Every image of these users in the store belongs to a succeeded generation or waits in the outbox; those that do not. */
export async function strayImages(stack: Stack, uids: string[]): Promise<string[]> {
  const ledger = await Promise.all(uids.map((uid) => stack.ledger(uid)));
  const generations = ledger.flatMap((each) => each.generations);
  const theirs = new Set(generations.map(({ id }) => id));
  const owned = generations.filter(({ status }) => status === 'succeeded').map(({ publicId }) => publicId);
  const outbox = await stack.database.page({
    collection: 'outbox',
    orderBy: [['dueAt', 'asc']],
    limit: 10_000,
  });
  const accounted = new Set([...owned, ...outbox.documents.map(({ data }) => data.publicId)]);
  const stored = [...stack.cloudinary.assets.keys()];
  return stored.filter((id) => theirs.has(id.split('/')[0] ?? '') && !accounted.has(id));
}
