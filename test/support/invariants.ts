/** The invariants of every account at rest. Each function lists what is broken. */
import type { Stack } from './stack.ts';
import { tierCredits } from './tierCredits.ts';

/** The broken invariants of an account, from all of its entries and generations; empty if it is consistent. */
export async function brokenInvariants(stack: Stack, uid: string): Promise<string[]> {
  const { account, entries, generations } = await stack.ledger(uid);
  const broken: string[] = [];
  const check = (holds: boolean, message: string) => void (holds || broken.push(message));
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
    const types = entries
      .filter(({ generationId }) => generationId === generation.id)
      .map(({ type }) => type);
    const expected = { pending: 'debit', succeeded: 'debit', deleted: 'debit', refunded: 'debit,refund' }[
      generation.status
    ];
    if (generation.receipt.charged > 0)
      check(types.join() === expected, `${generation.status} generation has entries ${types.join()}`);
    const prices = generation.cached
      ? [0]
      : Object.values(tierCredits).flatMap((credits) => [credits, 2 * credits, 4 * credits]);
    check(prices.includes(generation.credits), 'the price is that of no tier');
    const charged = generation.cached ? 0 : generation.credits;
    check(generation.receipt.charged === charged, `charged ${generation.receipt.charged} for ${charged}`);
    if (generation.cached) check(types.length === 0, `a cached generation has entries ${types.join()}`);
  }
  return broken;
}

/** The images of these users' succeeded generations that the store does not have. */
export async function missingImages(stack: Stack, uids: string[]): Promise<string[]> {
  const ledger = await Promise.all(uids.map((uid) => stack.ledger(uid)));
  const shown = ledger.flatMap(({ generations }) =>
    generations.filter(({ status }) => status === 'succeeded'),
  );
  return shown.map(({ publicId }) => publicId).filter((id) => !stack.cloudinary.assets.has(id));
}

/**
 * The stored images of these users, and the copies of anyone's shares, that neither belong to a succeeded generation or
 * a share nor wait in the outbox.
 */
export async function strayImages(stack: Stack, uids: string[]): Promise<string[]> {
  const ledger = await Promise.all(uids.map((uid) => stack.ledger(uid)));
  const generations = ledger.flatMap((each) => each.generations);
  const generationIds = new Set(generations.map(({ id }) => id));
  const owned = generations.filter(({ status }) => status === 'succeeded').map(({ publicId }) => publicId);
  const outbox = await stack.database.page({
    collection: 'outbox',
    orderBy: [['dueAt', 'asc']],
    limit: 10_000,
  });
  const shares = await stack.database.page({
    collection: 'shares',
    orderBy: [['__name__', 'asc']],
    limit: 10_000,
  });
  const copies = shares.documents.flatMap(({ id, data }) => (data.image ? [`shares/${id}`] : []));
  const accounted = new Set([...owned, ...copies, ...outbox.documents.map(({ data }) => data.publicId)]);
  const stored = [...stack.cloudinary.assets.keys()];
  const isOfUsers = (id: string) => id.startsWith('shares/') || generationIds.has(id.split('/')[0] ?? '');
  return stored.filter((id) => isOfUsers(id) && !accounted.has(id));
}
