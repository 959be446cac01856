/** What the deploy checks and changes at Stripe. */
import Stripe from 'stripe';
import { describe, expect, it, vi } from 'vitest';
import type { FakeStripe } from '../../../local/fakes/stripe/stripe.ts';
import { handledEventTypes } from '../../../shared/payments/events.ts';
import { checkStripe, connectWebhook, createClient } from '../../../tools/deploy/stripe.ts';
import { createSecretStore } from '../../../tools/deploy/stripeMain.ts';
import { createSecretManager, deployStripe, writeKeyFile } from '../../support/deployedStripe.ts';
import { startStripe, stripeKey } from '../../support/paymentStudio.ts';

const liveKey = 'sk_live_51KeyOfTheTestStudio';
const packs = '--packs=starter=price_starter:100,studio=price_studio:500';
const url = '--url=https://stripe-webhook-1.europe-west1.run.app/';
const secretName = 'STRIPE_WEBHOOK_SECRET';

const start = async (secrets: Record<string, string> = {}) => ({
  stripe: await startStripe({
    liveApiKey: liveKey,
    prices: [
      { id: 'price_starter', unitAmount: 500 },
      { id: 'price_studio', unitAmount: 2000 },
      { id: 'price_euro', unitAmount: 999, currency: 'eur' },
      { id: 'price_yen', unitAmount: 500, currency: 'jpy' },
      { id: 'price_unclear', unitAmount: 500, taxBehavior: 'unspecified' },
      { id: 'price_krona', unitAmount: 50_000, currency: 'isk' },
      { id: 'price_old', unitAmount: 100, active: false },
      { id: 'price_live', unitAmount: 500, livemode: true },
    ],
  }),
  manager: createSecretManager({ STRIPE_SECRET_KEY: stripeKey, ...secrets }),
});

const listEndpoints = async (stripe: FakeStripe, key = stripeKey) =>
  (await createClient(key, stripe.url).webhookEndpoints.list()).data;

describe('the command line', () => {
  it('prints the usage when asked for help', async () => {
    const { stripe, manager } = await start();
    expect(await deployStripe(stripe, manager, '--help')).toContain('npm run stripe -- finish');
    expect(stripe.requests).toEqual([]);
  });

  it.each([['--bogus'], ['refund']])('refuses %s with the usage', async (word) => {
    const { stripe, manager } = await start();
    await expect(deployStripe(stripe, manager, word)).rejects.toThrow(/npm run stripe -- finish/);
    expect(stripe.requests).toEqual([]);
  });
});

describe('the check', () => {
  it('prints the mode and the price of each pack, and changes nothing', async () => {
    const { stripe, manager } = await start();
    const before = structuredClone(manager.secrets);
    expect(await deployStripe(stripe, manager, 'check', packs)).toBe(
      '  Stripe is in test mode: test cards only, no money moves.\n  starter: 100 credits for $5.00\n  studio: 500 credits for $20.00',
    );
    const live = ['--packs=one=price_live:100', `--key-file=${writeKeyFile(liveKey)}`];
    expect(await deployStripe(stripe, manager, 'check', ...live)).toContain('live mode: payments are real');
    expect(await deployStripe(stripe, manager, 'check', '--packs=a=price_yen:9')).toContain('¥500');
    expect(await deployStripe(stripe, manager, 'check', '--packs=a=price_krona:9')).toMatch(/ISK\s500$/);
    expect(await deployStripe(stripe, manager, 'check', '--packs=')).toContain('nothing is sold');
    expect(stripe.requests.every(({ method }) => method === 'GET')).toBe(true);
    expect(manager.secrets).toEqual(before);
  });

  it.each([
    ['a price that Stripe does not have', 'a=price_none:1', 'No such price'],
    ['a price of live mode for a test key', 'a=price_live:1', 'exists in live mode'],
    ['a price that is not active', 'a=price_old:1', 'price_old is not active'],
    ['several currencies', 'a=price_starter:1,b=price_euro:2', 'several currencies: usd, eur'],
  ])('refuses %s', async (_, list, message) => {
    const { stripe, manager } = await start();
    await expect(deployStripe(stripe, manager, 'check', `--packs=${list}`)).rejects.toThrow(message);
  });

  it.each([
    [{ type: 'recurring' as const }, 'not a one-time price'],
    [{ unit_amount: null }, 'no amount'],
  ])('refuses a price with %o', async (fields, message) => {
    const { stripe } = await start();
    const sdk = createClient(stripeKey, stripe.url);
    const price = await sdk.prices.retrieve('price_starter');
    vi.spyOn(sdk.prices, 'retrieve').mockResolvedValue({ ...price, ...fields });
    const pack = { id: 'a', priceId: 'price_starter', credits: 1 };
    await expect(checkStripe(sdk, [pack], false)).rejects.toThrow(message);
  });

  it('with Managed Payments refuses a price that does not say whether it includes tax', async () => {
    const { stripe, manager } = await start();
    const check = (...args: string[]) =>
      deployStripe(stripe, manager, 'check', '--packs=a=price_unclear:1', ...args);
    expect(await check()).toContain('a: 1 credits for $5.00');
    expect(await check('--managed-payments=false')).toContain('a: 1 credits for $5.00');
    await expect(check('--managed-payments=true')).rejects.toThrow('price_unclear does not say');
  });

  it('names every pack that cannot be sold at once', async () => {
    const { stripe, manager } = await start();
    const refused = deployStripe(stripe, manager, 'check', '--packs=a=price_none:1,b=price_old:2');
    await expect(refused).rejects.toThrow(/The pack a cannot.*\nThe pack b cannot/);
  });

  it.each([
    ['a wrong key', 'sk_test_51Wrong', 'Invalid API Key'],
    ['a publishable key', 'pk_test_51Wrong', 'secret or restricted key'],
    ['a test key after a live one', stripeKey, 'sells in live mode'],
  ])('refuses %s, and never prints it', async (_, key, message) => {
    const { stripe, manager } = await start({ STRIPE_SECRET_KEY: liveKey });
    if (key !== stripeKey) manager.secrets.STRIPE_SECRET_KEY = stripeKey;
    const refused = deployStripe(stripe, manager, 'check', packs, `--key-file=${writeKeyFile(key)}`);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.not.toThrow(key);
  });

  it('says what to do without a key, and if Stripe cannot be reached', async () => {
    const { stripe } = await start();
    await expect(deployStripe(stripe, createSecretManager(), 'check', packs)).rejects.toThrow(
      '--stripe-key-file',
    );
    const { manager } = await start();
    await stripe.close();
    await expect(deployStripe(stripe, manager, 'check', packs)).rejects.toThrow('Stripe: ');
  });
});

describe('the webhook endpoint', () => {
  it('gets exactly the events that the functions handle, in the version of the library', async () => {
    const { stripe, manager } = await start();
    await deployStripe(stripe, manager, 'connect', url);
    expect(await listEndpoints(stripe)).toMatchObject([
      {
        url: 'https://stripe-webhook-1.europe-west1.run.app/',
        enabled_events: [...handledEventTypes],
        api_version: Stripe.API_VERSION,
        metadata: { project: 'my-studio' },
        status: 'enabled',
      },
    ]);
    expect(manager.secrets[secretName]).toMatch(/^whsec_\w+$/);
  });

  it('is updated by the next deploys, and keeps its secret', async () => {
    const { stripe, manager } = await start();
    await deployStripe(stripe, manager, 'connect', url);
    const [first] = await listEndpoints(stripe);
    const secret = manager.secrets[secretName];
    await createClient(stripeKey, stripe.url).webhookEndpoints.update(first?.id ?? '', {
      enabled_events: ['*'],
      disabled: true,
    });
    await deployStripe(stripe, manager, 'connect', '--url=https://elsewhere.example/');
    await deployStripe(stripe, manager, 'finish');
    expect(await listEndpoints(stripe)).toMatchObject([
      {
        id: first?.id,
        url: 'https://elsewhere.example/',
        enabled_events: [...handledEventTypes],
        status: 'enabled',
      },
    ]);
    expect(manager.secrets[secretName]).toBe(secret);
  });

  it('leaves those of others alone', async () => {
    const { stripe, manager } = await start();
    stripe.addEndpoint({ url: 'https://shop.example/hook', metadata: { project: 'another' } });
    stripe.addEndpoint({ url: 'https://crm.example/hook' });
    await deployStripe(stripe, manager, 'connect', url);
    await deployStripe(stripe, manager, 'finish');
    expect(await listEndpoints(stripe)).toHaveLength(3);
  });

  it.each([
    ['the secret could not be stored', 'versions add'],
    ['the secret was lost', ''],
  ])('is made once more if %s, and the one before is deleted', async (_, failsAt) => {
    const { stripe, manager } = await start();
    manager.failsAt = failsAt;
    await deployStripe(stripe, manager, 'connect', url).catch(() => {});
    const [first] = await listEndpoints(stripe);
    manager.failsAt = '';
    manager.secrets[secretName] = 'whsec_something_else';
    await deployStripe(stripe, manager, 'connect', url);
    await deployStripe(stripe, manager, 'finish');
    const endpoints = await listEndpoints(stripe);
    expect(endpoints).toHaveLength(1);
    expect(endpoints[0]?.id).not.toBe(first?.id);
    await deployStripe(stripe, manager, 'connect', url);
    expect(await listEndpoints(stripe)).toHaveLength(1);
  });

  it('of another version of the API is replaced, because Stripe cannot change it', async () => {
    const { stripe, manager } = await start();
    await deployStripe(stripe, manager, 'connect', url);
    const before = manager.secrets[secretName];
    const sdk = createClient(stripeKey, stripe.url);
    const { data } = await sdk.webhookEndpoints.list();
    const old = data.map((endpoint) => ({ ...endpoint, api_version: '2020-08-27' }));
    vi.spyOn(sdk.webhookEndpoints, 'list').mockResolvedValue({ data: old } as never);
    const store = createSecretStore('my-studio', manager.run);
    await connectWebhook(sdk, store, { project: 'my-studio', url: url.slice(6), rotate: false });
    expect(manager.secrets[secretName]).toMatch(new RegExp(`^whsec_\\w+,${before}$`));
  });

  it('is not deleted if none has the stored secret', async () => {
    const { stripe, manager } = await start();
    await deployStripe(stripe, manager, 'connect', url);
    manager.secrets[secretName] = 'whsec_something_else';
    await expect(deployStripe(stripe, manager, 'finish')).rejects.toThrow('no endpoint');
    expect(await listEndpoints(stripe)).toHaveLength(1);
  });

  it('of live mode is another one, with a secret of its own', async () => {
    const { stripe, manager } = await start();
    await deployStripe(stripe, manager, 'connect', url);
    const testSecret = manager.secrets[secretName];
    manager.secrets.STRIPE_SECRET_KEY = liveKey;
    await deployStripe(stripe, manager, 'connect', url);
    await deployStripe(stripe, manager, 'finish');
    expect(manager.secrets[secretName]).toMatch(new RegExp(`^whsec_\\w+,${testSecret}$`));
    expect(await listEndpoints(stripe, liveKey)).toHaveLength(1);
    expect(await listEndpoints(stripe)).toHaveLength(1);
    await deployStripe(stripe, manager, 'connect', url);
    expect(manager.secrets[secretName]).toMatch(/^whsec_\w+$/);
  });
});
