/** The credit packs on sale: the configuration names them, their prices are at Stripe. */
import type { CreditPack } from '../config/environment.ts';
import type { Pack } from '../contract/payments.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { StripeApi } from './stripe.ts';
import type { Price } from './stripeObjects.ts';

/** How long prices are kept, milliseconds, and after how long they are asked for again if Stripe failed. */
const freshMs = 300_000;
const pauseMs = 10_000;

/** A pack with its price. */
export type PricedPack = CreditPack & { price: Price };

export type PackList = {
  /** @throws {Failure} PAYMENTS_UNAVAILABLE if Stripe fails and no earlier list is known. */
  read(): Promise<PricedPack[]>;
  /** Makes the next `read` ask Stripe: a price was not what it was. */
  forget(): void;
};

/** Keeps the list for some minutes, and the last good one while Stripe fails. Calls at the same time share one look-up. */
export function createPackList(
  packs: readonly CreditPack[],
  stripe: Pick<StripeApi, 'findPrice'>,
  clock: Clock,
  log: Log,
): PackList {
  let known: PricedPack[] | undefined;
  let failure: unknown;
  let refreshAt = 0;
  let running: Promise<void> | undefined;

  async function refresh(): Promise<void> {
    try {
      const prices = await Promise.all(packs.map(({ priceId }) => stripe.findPrice(priceId)));
      known = packs.flatMap((pack, i) => {
        const price = prices[i];
        if (price && isSold(price)) return [{ ...pack, price }];
        log.warning('A pack is not sold: its price is not an active one-time price at Stripe', {
          event: 'pack_not_sold',
          pack: pack.id,
          priceId: pack.priceId,
        });
        return [];
      });
      refreshAt = clock.elapsed() + freshMs;
    } catch (error) {
      failure = error;
      refreshAt = clock.elapsed() + pauseMs;
      log.warning('Prices cannot be read', { event: 'payments_unavailable', cause: String(error) });
    }
  }

  return {
    async read() {
      if (clock.elapsed() >= refreshAt) {
        running ??= refresh().finally(() => {
          running = undefined;
        });
        await running;
      }
      if (known) return known;
      throw failure;
    },
    forget() {
      refreshAt = 0;
    },
  };
}

const isSold = ({ active, type, unit_amount: amount }: Price) =>
  active && type === 'one_time' && amount !== null && amount > 0;

export const toPack = ({ id, credits, price }: PricedPack): Pack => ({
  id,
  credits,
  amount: price.unit_amount as number,
  currency: price.currency,
});
