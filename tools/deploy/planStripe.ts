/** The steps for Stripe, if the studio sells credits. Each is one command of `npm run stripe` (stripeMain.ts). */
import { toServiceName } from './manifest.ts';
import type { DeployOptions } from './options.ts';
import type { Command, Step } from './steps.ts';

const hint =
  'The message above says what to do. docs/deployment/payments.md has the whole set-up, with the permissions of the key.';

function stripe({ project, secretFiles }: DeployOptions, command: string, ...args: string[]): Command {
  const file = secretFiles.STRIPE_SECRET_KEY;
  const keyFile = file ? [`--key-file=${file}`] : [];
  return ['npm', 'run', '--silent', 'stripe', '--', command, `--project=${project}`, ...keyFile, ...args];
}

/** Refuses a key or a pack that does not fit, before anything is changed. */
export function checkPayments(options: DeployOptions): Step[] {
  const { payments, settings, stripeMode } = options;
  if (!payments) return [];
  const key = stripeMode ? `the key (${stripeMode} mode)` : 'the stored key';
  const { CREDIT_PACKS, STRIPE_MANAGED_PAYMENTS: managed } = settings;
  const sale = [`--packs=${CREDIT_PACKS}`, ...(managed ? [`--managed-payments=${managed}`] : [])];
  return [
    {
      title: `Check ${key} and the prices of the packs at Stripe`,
      hint,
      do: 'run',
      run: stripe(options, 'check', ...sale),
    },
  ];
}

/** Stripe's events go to the service itself, so that a change of the domain or of Hosting cannot stop them. */
export function connectWebhook(options: DeployOptions): Step {
  const { region, rotateWebhookSecret } = options;
  const url = `https://${toServiceName('stripeWebhook')}-{{PROJECT_NUMBER}}.${region}.run.app/`;
  return {
    title: "Create or update Stripe's webhook, and store its signing secret",
    hint,
    do: 'run',
    run: stripe(options, 'connect', `--url=${url}`, ...(rotateWebhookSecret ? ['--rotate'] : [])),
  };
}

/** Once the functions know the signing secret, the endpoints that it has replaced can go. */
export function finishWebhook(options: DeployOptions): Step[] {
  if (!options.payments) return [];
  return [
    {
      title: 'Delete replaced endpoints of the webhook at Stripe',
      hint,
      do: 'run',
      run: stripe(options, 'finish'),
    },
  ];
}
