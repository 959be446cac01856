/** The deploy's commands for Stripe. The key comes from a file or from Secret Manager, and is never an argument. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import Stripe from 'stripe';
import { parseConfig } from '../../shared/config/config.ts';
import { parseWords } from '../parseWords.ts';
import { say } from '../say.ts';
import { DeployRefused, parseStripeMode } from './options.ts';
import { gcloud } from './planProject.ts';
import { type RunCommand, runCommand } from './run.ts';
import { checkStripe, connectWebhook, createClient, finishWebhook, type SecretStore } from './stripe.ts';

const usage = `npm run stripe -- check   --project P [--key-file F] --packs CREDIT_PACKS [--managed-payments STRIPE_MANAGED_PAYMENTS]
npm run stripe -- connect --project P [--key-file F] --url URL [--rotate]
npm run stripe -- finish  --project P [--key-file F]`;

const keyName = 'STRIPE_SECRET_KEY';

export function createSecretStore(project: string, run: RunCommand): SecretStore {
  const versions = (...args: string[]) => gcloud(project, 'secrets', 'versions', ...args);
  return {
    async read(name) {
      const { ok, output } = await run(versions('access', 'latest', `--secret=${name}`), { quiet: true });
      return ok ? output.trim() : undefined;
    },
    async write(name, value) {
      const { ok } = await run(versions('add', name, '--data-file=-'), { input: value });
      if (!ok) throw new DeployRefused(`${name} could not be stored in Secret Manager.`);
    },
  };
}

/** Runs one command. @throws {DeployRefused} with what to do. */
export async function runStripe(
  args: string[],
  { run, baseUrl, write }: { run: RunCommand; baseUrl: string | undefined; write: (line: string) => void },
): Promise<void> {
  const { values, positionals } = parseCommandLine(args);
  if (values.help) return write(usage);
  const { project = '', 'key-file': file, packs = '', url = '', rotate = false } = values;
  const store = createSecretStore(project, run);
  const stored = await store.read(keyName);
  const key = file ? readFileSync(file, 'utf8').trim() : stored;
  if (!key) throw new DeployRefused('Stripe has no key yet. Pass its file with --stripe-key-file.');
  const mode = parseStripeMode(key);
  const sdk = createClient(key, baseUrl);
  try {
    switch (positionals[0]) {
      case 'check': {
        refuseStepBack(stored, mode);
        const { creditPacks, stripe } = parseConfig({
          GOOGLE_CLOUD_PROJECT: project,
          CREDIT_PACKS: packs,
          STRIPE_MANAGED_PAYMENTS: values['managed-payments'],
        });
        const lines = await checkStripe(sdk, creditPacks, stripe.managedPayments);
        const meaning = mode === 'live' ? 'payments are real' : 'test cards only, no money moves';
        write(`  Stripe is in ${mode} mode: ${meaning}.`);
        for (const line of lines.length > 0 ? lines : ['No packs: nothing is sold.']) write(`  ${line}`);
        return;
      }
      case 'connect':
        return write(`  ${await connectWebhook(sdk, store, { project, url, rotate })}`);
      case 'finish':
        return write(`  ${await finishWebhook(sdk, store, project)}`);
      default:
        throw new DeployRefused(`The command must be check, connect or finish.\n\n${usage}`);
    }
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) throw new DeployRefused(`Stripe: ${error.message}`);
    throw error;
  }
}

/** @throws {DeployRefused} with the usage, if the words cannot be parsed. */
function parseCommandLine(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const names = { project: text, 'key-file': text, packs: text, 'managed-payments': text, url: text };
  const options = { ...names, rotate: flag, help: flag };
  const parse = () => parseArgs({ args, allowPositionals: true, options });
  return parseWords(usage, parse, (message) => new DeployRefused(message));
}

/** With a test key, everybody could get credits with the number of a test card. */
function refuseStepBack(stored: string | undefined, mode: string): void {
  if (mode === 'live' || !stored?.includes('_live_')) return;
  throw new DeployRefused(
    'This studio sells in live mode, and the new key is for test mode. Use another project to test.',
  );
}

if (import.meta.main) {
  const options = { run: runCommand, baseUrl: process.env.STRIPE_API_BASE_URL, write: say };
  await runStripe(process.argv.slice(2), options).catch((error) => {
    if (!(error instanceof DeployRefused)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    process.exitCode = 1;
  });
}
