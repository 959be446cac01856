/** Admins who refund images that were delivered: each at most once, and at most its price. */
import { parseAnswer } from './answers.ts';
import type { ImageRequest } from './clients.ts';
import type { History } from './history.ts';
import { tokens } from './instance.ts';
import type { Entry } from './modelLedger.ts';
import { isClosed, type ObservedAccount, type ObservedGeneration } from './observed.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

type Refund = { key: string; uid: string; generationId: string; amount: number };

const toEntryId = (generationId: string) => `${generationId}:goodwill`;

/**
 * Goodwill refunds by several admins: some at once, some with a key that another refund has used, some of images that
 * run, were deleted, or belong to somebody else.
 * @param random apart from the world's, so that a history without these refunds is as it would be.
 */
export function planGoodwill(history: History, random: Random, lengthMs: number): void {
  const { world, users, imageRequests, model } = history;
  const answers = new Map<string, string>();
  for (let i = random.pick([0, 0, 0, 3, 8]); i > 0; i -= 1) {
    world.after(random.whole(0, lengthMs), 'admins refund an image', () => {
      const find = ({ uid, key }: ImageRequest) => model.findGeneration(uid, key);
      const delivered = imageRequests.filter((one) => find(one)?.status === 'succeeded');
      const image = random.pick(delivered.length > 0 && random.chance(0.7) ? delivered : imageRequests);
      const { uid } = image;
      const found = find(image);
      const refund = {
        uid: random.chance(0.9) ? uid : random.pick(users).uid,
        generationId: found?.id ?? '0'.repeat(32),
        amount: random.pick([1, found?.price ?? 1, (found?.price ?? 1) + 1]),
      };
      for (let j = random.pick([1, 1, 2, 4]); j > 0; j -= 1) {
        const one = { ...refund, key: `goodwill-${random.whole(1, 4)}` };
        const send = () => void sendRefund(history, one, answers, random.pick(['root', 'boss']));
        world.after(random.pick([0, 0, 5, 2_000]), 'an admin refunds an image', send);
      }
    });
  }
}

async function sendRefund(
  { fleet, model, world: { check } }: History,
  { key, ...body }: Refund,
  answers: Map<string, string>,
  admin: string,
): Promise<void> {
  const { uid, generationId, amount } = body;
  const request = {
    name: 'grant',
    method: 'POST' as const,
    as: tokens.admin(admin),
    body: { ...body, reason: 'goodwill' },
    key,
  };
  await fleet.send(request, (answer, startTick) => {
    const describe = () => `${key} ${amount} of ${generationId} of ${uid}: ${JSON.stringify(answer.body)}`;
    const moments = model.since(uid, startTick);
    if (answer.status === 200) {
      const { entry } = answer.body as { entry: Entry };
      const isOwn = entry.id === toEntryId(generationId) && entry.amount === amount;
      const reply = `${uid} ${entry.id} ${entry.amount} ${entry.sequence}`;
      check(isOwn && (answers.get(key) ?? reply) === reply, 'one key, one grant', describe);
      answers.set(key, reply);
      return;
    }
    const { reason } = parseAnswer(model, answer);
    const isJustified: Record<string, () => boolean> = {
      // The model checks at the commit that no refund is made that must be refused.
      INVALID_REQUEST: () => true,
      ACCOUNT_INVALID: () => true,
      ACCOUNT_CLOSED: () => moments.some(({ closed }) => closed),
      NOT_FOUND: () => moments.some(({ exists, entries }) => !exists && entries === 0),
      IDEMPOTENCY_KEY_REUSED: () =>
        !answers.get(key)?.startsWith(`${uid} ${toEntryId(generationId)} ${amount} `),
      DATABASE_UNAVAILABLE: () => true,
    };
    check(isJustified[reason]?.() ?? false, 'a refusal is justified', describe);
  });
}

/** Checks a goodwill refund at its commit. */
export function checkGoodwill(
  { check, happened }: World,
  account: ObservedAccount | undefined,
  generation: ObservedGeneration | undefined,
  amount: number,
): void {
  const about = () => `${generation?.id} ${generation?.status} ${generation?.price}: ${amount}`;
  happened('goodwill refund', about);
  const isPaid =
    generation?.uid === account?.uid && ['succeeded', 'deleted'].includes(generation?.status ?? '');
  check(isPaid, 'a goodwill refund is of an image that was delivered', about);
  const price = generation?.price ?? 0;
  check(amount >= 1 && amount <= price, 'a goodwill refund is at most the price', about);
  const isFirst = !account?.entries.some(({ id }) => id === toEntryId(generation?.id ?? ''));
  check(isFirst, 'a goodwill refund comes once', about);
  check(!isClosed(account?.data), 'a closed account gets and pays nothing', about);
}
