/** A restricted key with exactly the permissions that the documentation lists can do everything, and needs each of them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createSecretManager, deployStripe } from '../../support/deployedStripe.ts';
import { createMemoryWorld } from '../../support/memoryStudio.ts';
import { createPaymentStudio, startStripe } from '../../support/paymentStudio.ts';

const guide = readFileSync('docs/deployment/payments.md', 'utf8');
const permissions = [...guide.matchAll(/^\| [\w ]+ \| (Read|Write) \| `rak_(\w+)` \|/gm)].map(
  ([, level, name]) => ({ level, name: name ?? '' }),
);
const key = 'rk_test_51Restricted';

/** Deploys and sells with a key that has these permissions. @returns what failed. */
async function deployAndSell(names: readonly string[]): Promise<string[]> {
  const world = createMemoryWorld();
  const fake = await startStripe({ now: world.clock.now, restrictedKeys: { [key]: names } });
  const manager = createSecretManager({ STRIPE_SECRET_KEY: key });
  const studio = await createPaymentStudio({ fake, world, env: { STRIPE_SECRET_KEY: key } });
  const failures: string[] = [];
  const attempt = async (what: string, work: Promise<{ status: number } | string>) => {
    const result = await work.catch((error: Error) => error);
    const isGood = typeof result === 'string' || ('status' in result && result.status === 200);
    if (!isGood) failures.push(what);
  };
  await attempt('check', deployStripe(fake, manager, 'check', '--packs=starter=price_starter:100'));
  await attempt('connect', deployStripe(fake, manager, 'connect', '--url=https://hook.example/'));
  await attempt('finish', deployStripe(fake, manager, 'finish'));
  await attempt('packs', studio.get('packs'));
  const { status, body } = await studio.checkout();
  if (status !== 200) return [...failures, 'checkout'];
  const { sessionId: session } = body as unknown as { sessionId: string };
  fake.control.pay({ session });
  await attempt('confirmCheckout', studio.confirm(session));
  const unpaid = await studio.buy('starter', 'unpaid', 'user:ann', { later: true });
  await attempt('confirmCheckout of a payment on its way', studio.confirm(unpaid));
  await attempt('billingPortal', studio.post('billingPortal', {}));
  fake.control.refund({ session, amount: 100 });
  await attempt('stripeWebhook', studio.deliver(studio.event('refund.created')));
  await attempt('reconcilePayments', studio.runJob('reconcilePayments'));
  const late = await studio.buy('starter', 'late');
  studio.edit('accounts/ann', { closedAt: new Date() });
  await attempt('a payment for a closed account', studio.deliver(studio.event('checkout.session.completed')));
  expect(late).toMatch(/^cs_/);
  return failures;
}

describe('a restricted key', () => {
  const readable = permissions.filter(({ name }) => !name.startsWith('customer_'));

  it.each(readable)('without $name is refused by the check', async ({ name: missing }) => {
    const names = permissions.map(({ name }) => name).filter((name) => name !== missing);
    const fake = await startStripe({ restrictedKeys: { [key]: names } });
    const manager = createSecretManager({ STRIPE_SECRET_KEY: key });
    const refused = deployStripe(fake, manager, 'check', '--packs=starter=price_starter:100');
    await expect(refused).rejects.toThrow(`rak_${missing.replace('_write', '_read')}`);
  });

  it('with the listed permissions can do everything', async () => {
    expect(permissions.length).toBeGreaterThan(5);
    for (const { level, name } of permissions) expect(name).toMatch(level === 'Write' ? /_write$/ : /_read$/);
    expect(await deployAndSell(permissions.map(({ name }) => name))).toEqual([]);
  });

  it.each(permissions)('needs $name', async ({ name: missing }) => {
    const names = permissions.map(({ name }) => name).filter((name) => name !== missing);
    expect(await deployAndSell(names)).not.toEqual([]);
  });

  it.each(permissions.filter(({ level }) => level === 'Write'))('needs $name to write', async ({ name }) => {
    const names = permissions
      .map((one) => one.name)
      .map((one) => (one === name ? name.replace('_write', '_read') : one));
    expect(await deployAndSell(names)).not.toEqual([]);
  });
});
