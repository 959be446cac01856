/** The steps for Stripe in the plan of a deploy, and the options that cause them. */
import { describe, expect, it } from 'vitest';
import { alerts, paymentAlerts } from '../../../tools/deploy/alerts.ts';
import { manifest, toServiceName } from '../../../tools/deploy/manifest.ts';
import { DeployRefused, parseOptions } from '../../../tools/deploy/options.ts';
import { createPlan } from '../../../tools/deploy/plan.ts';
import { toShellScript } from '../../../tools/deploy/steps.ts';

const key = 'rk_test_51NotARealKey';
const packs = 'CREDIT_PACKS=starter=price_1:100,studio=price_2:500\n';

function parse(settings: string, ...more: string[]) {
  const args = ['--project', 'my-studio', '--region', 'europe-west1', '--settings', 'file', ...more];
  return parseOptions(args, (path) => (path === 'key' ? `${key}\n` : settings));
}
const plan = (...args: Parameters<typeof parse>) => createPlan(parse(...args));
const scriptOf = (...args: Parameters<typeof parse>) => toShellScript(plan(...args));
const titles = (...args: Parameters<typeof parse>) => plan(...args).map(({ title }) => title);

/** The line that deploys a function. */
const findDeploy = (script: string, target: string) =>
  script.split('\n').find((line) => line.startsWith(`run gcloud run deploy ${toServiceName(target)} `)) ?? '';

describe('a studio without CREDIT_PACKS', () => {
  const script = scriptOf('SIGNUP_CREDITS=1\n');

  it('has nothing of Stripe: no secret, no webhook, no job and no alert on it', () => {
    const parts = [
      'STRIPE_',
      'run --silent stripe',
      'jobs create http reconcile-payments',
      'studio-payment-check',
    ];
    expect(parts.filter((part) => script.includes(part))).toEqual([]);
    expect(findDeploy(script, 'packs')).toContain(
      '--set-secrets=IDENTITY_HASH_KEY=IDENTITY_HASH_KEY:latest ',
    );
  });

  it('takes no option of Stripe', () => {
    expect(() => parse('SIGNUP_CREDITS=1\n', '--stripe-key-file', 'key')).toThrow('CREDIT_PACKS');
    expect(() => parse('SIGNUP_CREDITS=1\n', '--rotate-webhook-secret')).toThrow('CREDIT_PACKS');
  });
});

describe('a studio with CREDIT_PACKS', () => {
  const script = scriptOf(packs, '--stripe-key-file', 'key');

  it('gives each secret only to the functions that need it', () => {
    const readers = (secret: string) =>
      Object.keys(manifest).filter((target) =>
        findDeploy(script, target).includes(`${secret}=${secret}:latest`),
      );
    const users = [
      'closeAccount',
      'packs',
      'checkout',
      'confirmCheckout',
      'billingPortal',
      'stripeWebhook',
      'adminAccounts',
    ];
    expect(readers('STRIPE_SECRET_KEY')).toEqual([...users, 'sweepHolds', 'reconcilePayments']);
    expect(readers('STRIPE_WEBHOOK_SECRET')).toEqual(['stripeWebhook']);
    const bindings = (secret: string) => script.split(`secrets add-iam-policy-binding ${secret} `).length - 1;
    expect([bindings('STRIPE_SECRET_KEY'), bindings('STRIPE_WEBHOOK_SECRET')]).toEqual([9, 1]);
  });

  it('checks Stripe before anything is changed, in the mode that the title names', () => {
    const [first] = plan(packs, '--stripe-key-file', 'key');
    expect(first?.title).toBe('Check the key (test mode) and the prices of the packs at Stripe');
    expect(titles(packs)[0]).toBe('Check the stored key and the prices of the packs at Stripe');
    expect(script).toContain(
      'npm run --silent stripe -- check --project=my-studio --key-file=key --packs=starter=price_1:100,studio=price_2:500\n',
    );
    const managed = scriptOf(`${packs}STRIPE_MANAGED_PAYMENTS=true\n`);
    expect(managed).toContain('--packs=starter=price_1:100,studio=price_2:500 --managed-payments=true\n');
  });

  it('stores the key, then the webhook with its secret, then deploys, then deletes replaced endpoints', () => {
    const parts = [
      'secrets versions add STRIPE_SECRET_KEY',
      'secrets create STRIPE_WEBHOOK_SECRET',
      'stripe -- connect',
      'run deploy stripe-webhook',
      'stripe -- finish',
      'http reconcile-payments',
      '--only=hosting',
    ];
    const places = parts.map((part) => script.indexOf(part));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(-1);
    expect(script).toMatch(
      /connect --project=my-studio --key-file=key "--url=https:\/\/stripe-webhook-\$\{PROJECT_NUMBER\}\.europe-west1\.run\.app\/"/,
    );
    const all = [...alerts, ...paymentAlerts].map(({ id }) => `metrics create studio-${id} `);
    expect(all.filter((part) => !script.includes(part))).toEqual([]);
  });

  it('prints no key, and asks for none', () => {
    expect(script).not.toContain(key);
    expect(scriptOf(packs)).toContain('versions list STRIPE_SECRET_KEY');
    expect(script).not.toContain("read -rsp 'STRIPE_");
  });

  it('replaces the signing secret only if asked', () => {
    expect(script).not.toContain('--rotate');
    expect(scriptOf(packs, '--rotate-webhook-secret')).toMatch(/connect .* --rotate\n/);
  });

  it('may sell nothing any more: refunds and disputes still count', () => {
    expect(scriptOf('CREDIT_PACKS=\n')).toContain('stripe -- connect');
  });
});

describe('the options', () => {
  it.each([
    ['a pack that cannot be parsed', 'CREDIT_PACKS=starter:100', 'CREDIT_PACKS'],
    ['an address without TLS', 'PUBLIC_URL=http://studio.example', 'PUBLIC_URL'],
    ['an address with a path', 'PUBLIC_URL=https://studio.example/app', 'PUBLIC_URL'],
    ['a key among the settings', 'STRIPE_SECRET_KEY=sk_live_1', 'STRIPE_SECRET_KEY'],
    ['a signing secret among the settings', 'STRIPE_WEBHOOK_SECRET=whsec_1', 'STRIPE_WEBHOOK_SECRET'],
    ['a fake in place of Stripe', 'STRIPE_API_BASE_URL=https://fake.example', 'STRIPE_API_BASE_URL'],
  ])('are refused with %s', (_, settings, message) => {
    expect(() => parse(settings)).toThrow(DeployRefused);
    expect(() => parse(settings)).toThrow(message);
  });

  it('accept an address with a slash at the end', () => {
    expect(parse('PUBLIC_URL=https://studio.example/\n').settings.PUBLIC_URL).toBe('https://studio.example/');
  });

  it('are refused with a key file that holds another key', () => {
    const args = ['--project', 'my-studio', '--region', 'europe-west1', '--settings', 's'];
    const read = (path: string) => (path === 'key' ? 'pk_test_1' : packs);
    const refused = () => parseOptions([...args, '--stripe-key-file', 'key'], read);
    expect(refused).toThrow('sk_… or rk_…');
    expect(refused).not.toThrow('pk_test_1');
  });
});
