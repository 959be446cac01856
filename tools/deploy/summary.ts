/** What a deploy will do, for a person who reads its script before running it. */
import type { DeployOptions } from './options.ts';
import type { Step } from './steps.ts';

/** Lines of text: what the steps create and in which order, what they need, what they leave out, and what they may cost. */
export function summarize(options: DeployOptions, steps: readonly Step[]): string[] {
  const { project, region, alertEmail, supportEmail, monthlyBudget, settings } = options;
  const asked = steps.flatMap((step) =>
    step.do === 'secret' && !step.isGenerated && !step.file ? [step.secret] : [],
  );
  return [
    `Creates the studio in the project ${project} (${region}), or updates it, in ${steps.length} steps. Each keeps what exists already.`,
    'In this order: build, APIs, service accounts and their roles, secrets, Firestore, Firebase and the key of the browser, erasure log,',
    'container image, a Cloud Run service for each function, jobs of Cloud Scheduler, alerts, page, budget.',
    'Sign in before: gcloud auth login, and npx firebase login.',
    ...(asked.length > 0 ? [`Asks for ${asked.join(' and ')}, unless the secrets have a value.`] : []),
    ...(supportEmail ? [] : ['Sets up no sign-in for users: pass --support-email, or do it in the console.']),
    ...(alertEmail ? [] : ['Alerts reach nobody: pass --alert-email.']),
    `Images of one day may cost at most ${settings.MAX_SPEND_PER_DAY_USD} dollars (MAX_SPEND_PER_DAY_USD). docs/deployment/costs.md has what else costs money.`,
    monthlyBudget > 0
      ? `Mails of the budget come at 50, 90 and 100 % of ${monthlyBudget} a month, in the currency of the billing account.`
      : 'There is no monthly budget.',
    'Afterwards, back up the secret IDENTITY_HASH_KEY: docs/deployment/README.md says why.',
  ];
}
