/** Replacing the signing secret and the key of Stripe while users buy: no purchase is lost, and none counts twice. */
import { expect, it } from 'vitest';
import {
  createSecretManager,
  deployStripe,
  startReceiver,
  writeKeyFile,
} from '../../support/deployedStripe.ts';
import { createMemoryWorld } from '../../support/memoryStudio.ts';
import { createPaymentStudio, startStripe, stripeKey } from '../../support/paymentStudio.ts';

const secretName = 'STRIPE_WEBHOOK_SECRET';
const key = (number: number) => `rk_test_51Key${number}`;
const permissions = ['checkout_session_write', 'customer_write', 'plan_read', 'webhook_write'];

async function start() {
  const world = createMemoryWorld();
  const fake = await startStripe({
    now: world.clock.now,
    retryDelaysMs: [],
    restrictedKeys: { [key(1)]: permissions, [key(2)]: permissions },
  });
  const manager = createSecretManager({ STRIPE_SECRET_KEY: stripeKey });
  const receiver = await startReceiver();
  let bought = 0;
  return {
    fake,
    manager,
    receiver,
    connect: (...args: string[]) => deployStripe(fake, manager, 'connect', `--url=${receiver.url}`, ...args),
    /** A revision of the functions, with the secrets as they are now. */
    async deployFunctions() {
      const { secrets } = manager;
      const studio = await createPaymentStudio({ fake, world, env: { ...secrets } });
      receiver.receive = studio.postRaw;
      return {
        ...studio,
        /** Buys a pack. @returns the answers to its event. */
        async buyOne() {
          bought += 1;
          await studio.buy('starter', `purchase-${bought}`);
          await fake.webhooks.idle();
          expect(studio.entries()).toHaveLength(bought);
          const event = studio.event('checkout.session.completed').id;
          return fake.webhooks.deliveries.filter((one) => one.event === event).map(({ answer }) => answer);
        },
      };
    },
  };
}

it('a signing secret is replaced without a gap, and the old one ends with the deploy after', async () => {
  const { fake, manager, connect, deployFunctions } = await start();
  await connect();
  const oldSecret = manager.secrets[secretName] as string;
  const before = await deployFunctions();
  expect(await before.buyOne()).toEqual([200]);

  await connect('--rotate');
  const [newSecret = ''] = manager.secrets[secretName]?.split(',') ?? [];
  expect(manager.secrets[secretName]).toBe(`${newSecret},${oldSecret}`);
  // The functions do not know the new secret yet.
  expect((await before.buyOne()).sort()).toEqual([200, 400]);
  const during = await deployFunctions();
  expect(await during.buyOne()).toEqual([200, 200]);
  await deployStripe(fake, manager, 'finish');
  expect(await during.buyOne()).toEqual([200]);

  await connect();
  await deployStripe(fake, manager, 'finish');
  expect(manager.secrets[secretName]).toBe(newSecret);
  const after = await deployFunctions();
  expect(await after.buyOne()).toEqual([200]);
  const payload = JSON.stringify(after.event('checkout.session.completed'));
  const statusWith = async (secret: string) =>
    (await after.postRaw(payload, after.sign(payload, { secret }))).status;
  expect(await statusWith(newSecret)).toBe(200);
  expect(await statusWith(oldSecret)).toBe(400);
});

it('a rotation that stops in the middle is repeated', async () => {
  const { fake, manager, connect, deployFunctions } = await start();
  await connect();
  await connect('--rotate');
  await connect('--rotate');
  const studio = await deployFunctions();
  expect((await studio.buyOne()).sort()).toEqual([200, 200, 400]);
  await deployStripe(fake, manager, 'finish');
  expect(await studio.buyOne()).toEqual([200]);
});

it('a key is replaced while the old functions still run', async () => {
  const { fake, manager, connect, deployFunctions } = await start();
  manager.secrets.STRIPE_SECRET_KEY = key(1);
  await connect();
  const before = await deployFunctions();
  expect(await before.buyOne()).toEqual([200]);
  const file = `--key-file=${writeKeyFile(key(2))}`;
  manager.secrets.STRIPE_SECRET_KEY = key(2);
  await connect(file);
  const after = await deployFunctions();
  expect(await after.buyOne()).toEqual([200]);
  // The same user and key get the same session from both.
  const [old, fresh] = [await before.checkout('starter', 'again'), await after.checkout('starter', 'again')];
  expect(fresh.body).toEqual(old.body);
  expect(fake.requests.length).toBeGreaterThan(0);
});
