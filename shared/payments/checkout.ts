import { createHash } from 'node:crypto';
import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { type Failure, invalidRequest } from '../errors.ts';
import type { Account } from '../ledger/account.ts';
import { changeAccount } from '../ledger/changeAccount.ts';
import type { LedgerUser } from '../ledger/command.ts';
import { unchanged } from '../ledger/creditChanges.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { refuseClosed, refuseSuspended, refuseTerms, refuseUnverified } from '../ledger/refusals.ts';
import { toMetadata } from './order.ts';
import type { PackList, PricedPack } from './packs.ts';
import type { StripeApi } from './stripe.ts';

export type CheckoutContext = {
  ledger: Ledger;
  stripe: StripeApi;
  packs: PackList;
  clock: Clock;
  config: Pick<Config, 'projectId' | 'publicUrl'>;
};

const hourMs = 3_600_000;

/**
 * Creates a Checkout session for one pack; the same user and key get the same session.
 * @throws {Failure} INVALID_REQUEST for a pack that is not on sale, the refusals of the account, IDEMPOTENCY_KEY_REUSED,
 * PAYMENTS_UNAVAILABLE, DATABASE_UNAVAILABLE.
 */
export async function startCheckout(
  context: CheckoutContext,
  user: LedgerUser,
  packId: string,
  key: string,
): Promise<{ url: string; sessionId: string }> {
  const { packs, stripe, config } = context;
  const pack = (await packs.read()).find(({ id }) => id === packId);
  if (!pack) throw notOnSale(packId);
  const account = await getBuyer(context.ledger, user);
  let customer = account.customers.at(-1) ?? (await addCustomer(context, account, user));
  const create = (customer: string) =>
    stripe.createSession(toRequest(config, user, pack, customer), hash([user.uid, key, customer]));
  let session = await create(customer);
  if (session === 'unknownCustomer') {
    customer = await addCustomer(context, account, user);
    session = await create(customer);
  }
  if (typeof session !== 'string') return { url: session.url, sessionId: session.id };
  if (session === 'unknownCustomer') throw new Error('Stripe does not know the customer that it has made');
  packs.forget();
  throw notOnSale(packId);
}

export const notOnSale = (packId: string) =>
  invalidRequest([{ field: 'pack', description: `${packId} is not on sale` }]);

const hash = (parts: readonly string[]) =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);

/** The caller's account, if it may buy. */
function getBuyer(ledger: Ledger, user: LedgerUser): Promise<Account> {
  return changeAccount<Account>(ledger, user.uid, {
    user,
    missing: 'create',
    decide({ account }) {
      const refusal =
        refuseClosed(account) ??
        refuseSuspended(account) ??
        refuseTerms(account, ledger.settings.termsVersion) ??
        refuseUnverified(account, user);
      return refusal ? { refusal } : { answer: account };
    },
  });
}

/**
 * Makes a customer and keeps it on the account, unless another call has added one meanwhile. Stripe makes one customer for
 * the same key, also if the reply was lost. The hour is part of the key because Stripe repeats its failures too. A customer
 * of an account that has closed meanwhile is deleted again.
 */
async function addCustomer(
  { ledger, stripe, clock, config }: CheckoutContext,
  { uid, customers }: Account,
  user: LedgerUser,
): Promise<string> {
  const { projectId: project } = config;
  const hour = Math.floor(clock.now() / hourMs);
  const created = await stripe.createCustomer(
    { uid, project, email: user.verified ? user.email : undefined },
    hash([project, uid, String(customers.length), String(hour)]),
  );
  const kept = await changeAccount<string | Failure>(ledger, uid, {
    user,
    // An admin may have deleted it in the meantime.
    missing: 'create',
    decide({ account }) {
      const refusal = refuseClosed(account);
      if (refusal) return { answer: refusal };
      const newest = account.customers.at(-1);
      if (newest !== undefined && account.customers.length > customers.length) return { answer: newest };
      const changed = { ...account, customers: [...account.customers, created] };
      return { change: unchanged(changed), answer: () => created };
    },
  });
  if (typeof kept === 'string') return kept;
  // The closing does not know of this one.
  await stripe.deleteCustomer(created);
  throw kept;
}

function toRequest(
  { projectId, publicUrl }: CheckoutContext['config'],
  { uid }: LedgerUser,
  pack: PricedPack,
  customer: string,
) {
  return {
    priceId: pack.priceId,
    currency: pack.price.currency,
    customer,
    metadata: toMetadata({ project: projectId, uid }, pack, pack.price),
    // Stripe puts the id of the session in.
    successUrl: `${publicUrl}/studio?session={CHECKOUT_SESSION_ID}`,
    cancelUrl: `${publicUrl}/studio`,
  };
}
