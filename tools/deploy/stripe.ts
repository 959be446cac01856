/** What the deploy does at Stripe: it checks the key and the prices, and keeps one webhook endpoint with its secret. */
import { createHash } from 'node:crypto';
import Stripe from 'stripe';
import type { CreditPack } from '../../shared/config/environment.ts';
import { handledEventTypes } from '../../shared/payments/events.ts';
import { priceText } from '../../web/strings/format.ts';
import { DeployRefused } from './options.ts';

/** The values of secrets. `read` gives undefined if there is none yet. */
export type SecretStore = {
  read(name: string): Promise<string | undefined>;
  write(name: string, value: string): Promise<void>;
};

/** @param baseUrl replaces Stripe's address, for tests. */
export function createClient(key: string, baseUrl?: string): Stripe {
  if (!baseUrl) return new Stripe(key, { telemetry: false });
  const { protocol, hostname: host, port } = new URL(baseUrl);
  return new Stripe(key, { telemetry: false, protocol: protocol === 'http:' ? 'http' : 'https', host, port });
}

/**
 * Looks at everything that the functions read at Stripe, and changes nothing.
 * @returns a line for each pack.
 * @throws {DeployRefused} naming every pack that cannot be sold.
 * @throws {Stripe.errors.StripeError} for a key that is wrong or lacks a permission to read.
 */
export async function checkStripe(
  sdk: Stripe,
  packs: readonly CreditPack[],
  managedPayments: boolean,
): Promise<string[]> {
  const one = { limit: 1 };
  await Promise.all([
    sdk.checkout.sessions.list(one),
    sdk.paymentIntents.list(one),
    sdk.refunds.list(one),
    sdk.disputes.list(one),
    sdk.events.list(one),
    sdk.webhookEndpoints.list(one),
  ]);
  const prices = await Promise.all(packs.map(({ priceId }) => findPrice(sdk, priceId)));
  const problems = packs.flatMap(({ id }, i) => {
    const problem = findProblem(prices[i], managedPayments);
    return problem ? [`The pack ${id} cannot be sold: ${problem}.`] : [];
  });
  const known = prices.filter((price) => typeof price !== 'string');
  const currencies = [...new Set(known.map(({ currency }) => currency))];
  if (currencies.length > 1) problems.push(`The packs have several currencies: ${currencies.join(', ')}.`);
  if (problems.length > 0) throw new DeployRefused(problems.join('\n'));
  return packs.map(({ id, credits }, i) => {
    const { unit_amount: amount, currency } = known[i] as Stripe.Price;
    return `${id}: ${credits} credits for ${priceText(amount as number, currency, 'en')}`;
  });
}

/** The price, or why Stripe has none: it says so if the price is of the other mode. */
async function findPrice(sdk: Stripe, id: string): Promise<Stripe.Price | string> {
  try {
    return await sdk.prices.retrieve(id);
  } catch (error) {
    if (error instanceof Stripe.errors.StripeInvalidRequestError) return error.message;
    throw error;
  }
}

function findProblem(price: Stripe.Price | string | undefined, managedPayments: boolean): string | undefined {
  if (price === undefined || typeof price === 'string') return price;
  if (!price.active) return `${price.id} is not active`;
  if (price.type !== 'one_time') return `${price.id} is not a one-time price`;
  if (!price.unit_amount) return `${price.id} has no amount in whole units of its currency`;
  // Its tax would follow a setting of the account, so that nobody could say which part of a payment is the price.
  // https://docs.stripe.com/tax/products-prices-tax-codes-tax-behavior
  if (managedPayments && (price.tax_behavior ?? 'unspecified') === 'unspecified') {
    return `${price.id} does not say whether it includes tax: set that at Stripe, for Managed Payments`;
  }
  return undefined;
}

const secretName = 'STRIPE_WEBHOOK_SECRET';

/** Stripe shows a signing secret only once. Its hash in the metadata of the endpoint says which secret is whose. */
const hashSecret = (secret: string) => createHash('sha256').update(secret).digest('hex').slice(0, 32);

const readSecrets = async (store: SecretStore) =>
  ((await store.read(secretName)) ?? '').split(',').filter((secret) => secret !== '');

/** The endpoints that a deploy of this project has made. */
async function listEndpoints(sdk: Stripe, project: string): Promise<Stripe.WebhookEndpoint[]> {
  const { data } = await sdk.webhookEndpoints.list({ limit: 100 });
  return data.filter(({ metadata }) => metadata.project === project);
}

/** The newest secret that has an endpoint. The newest comes first. */
function findCurrent(endpoints: readonly Stripe.WebhookEndpoint[], secrets: readonly string[]) {
  for (const secret of secrets) {
    const endpoint = endpoints.find(({ metadata }) => metadata.secret === hashSecret(secret));
    if (endpoint) return { endpoint, secret };
  }
  return undefined;
}

/**
 * Brings the events that the functions handle to `url`. Makes an endpoint if there is none with a known secret, or to
 * replace the secret: then both secrets are valid until the next deploy, and both endpoints send until `finishWebhook`.
 * @returns what was done.
 */
export async function connectWebhook(
  sdk: Stripe,
  store: SecretStore,
  { project, url, rotate }: { project: string; url: string; rotate: boolean },
): Promise<string> {
  const secrets = await readSecrets(store);
  const current = findCurrent(await listEndpoints(sdk, project), secrets);
  const events = { url, enabled_events: [...handledEventTypes] };
  // Stripe cannot change the version of an endpoint.
  if (current && !rotate && current.endpoint.api_version === Stripe.API_VERSION) {
    const { endpoint, secret } = current;
    await sdk.webhookEndpoints.update(endpoint.id, { ...events, disabled: false });
    if (secrets.length > 1) await store.write(secretName, secret);
    return `Updated the endpoint ${endpoint.id}.`;
  }
  const { id, secret = '' } = await sdk.webhookEndpoints.create({
    ...events,
    api_version: Stripe.API_VERSION,
    metadata: { project },
  });
  const before = current?.secret ?? secrets[0];
  await store.write(secretName, before ? `${secret},${before}` : secret);
  await sdk.webhookEndpoints.update(id, { metadata: { project, secret: hashSecret(secret) } });
  return `Created the endpoint ${id}.`;
}

/** Deletes the other endpoints of this project, when the functions know the secret of the newest. */
export async function finishWebhook(sdk: Stripe, store: SecretStore, project: string): Promise<string> {
  const endpoints = await listEndpoints(sdk, project);
  const current = findCurrent(endpoints, await readSecrets(store));
  if (!current) throw new DeployRefused('Stripe has no endpoint with the stored signing secret.');
  const others = endpoints.filter(({ id }) => id !== current.endpoint.id);
  await Promise.all(others.map(({ id }) => sdk.webhookEndpoints.del(id)));
  return others.length > 0 ? `Deleted ${others.map(({ id }) => id).join(', ')}.` : 'There are none.';
}
