/** Parses and checks the deploy's command line and settings file, before the deploy creates anything. */
import { readFileSync } from 'node:fs';
import { parseArgs, parseEnv } from 'node:util';
import { ConfigError, parseConfig } from '../../shared/config/config.ts';
import { environmentSchema } from '../../shared/config/environment.ts';
import { successorModelId } from '../../shared/imagegen/models.ts';
import { checkTimeouts, type Secret } from './manifest.ts';

export type DeployOptions = {
  project: string;
  region: string;
  /** The location of the database: a region, `nam5` or `eur3`. It can never be changed. */
  location: string;
  /** Environment variables for all functions, which override the defaults. */
  settings: Record<string, string>;
  vertexAi: boolean;
  /** Files with the values of secrets. The script asks for the other values, unless the secrets have one already. */
  secretFiles: Partial<Record<Secret, string | undefined>>;
  /** Credits are sold: the settings have CREDIT_PACKS. Empty, it sells none, but refunds and disputes still count. */
  payments: boolean;
  /** The mode of the new key of Stripe, if there is one. */
  stripeMode: StripeMode | undefined;
  /** Replace the signing secret of Stripe's webhook. */
  rotateWebhookSecret: boolean;
  alertEmail: string | undefined;
  supportEmail: string | undefined;
  /** The month's budget for the project, in the currency of its billing account; 0 for none. */
  monthlyBudget: number;
  dryRun: boolean;
  /** The file for the script of a dry run. */
  out: string | undefined;
};

export type StripeMode = 'test' | 'live';

/** The deploy cannot start or continue. The message says why, and what to do; it is printed without a stack trace. */
export class DeployRefused extends Error {
  override name = 'DeployRefused';
}

const usage = `npm run deploy -- --project PROJECT --region REGION
  --location L          where to create Firestore, if it does not exist; permanent; by default the region
  --settings FILE       NAME=value lines for the functions (docs/setup/environment.md)
  --gemini-key-file F   the file with the key of the Gemini API; without it, the deploy asks for the key
  --cloudinary-file F   the file with CLOUDINARY_URL; without it, the deploy asks for it
  --stripe-key-file F   the file with the key of Stripe, at the first deploy with CREDIT_PACKS and to replace the key
  --rotate-webhook-secret  replaces the signing secret of Stripe's webhook
  --alert-email E       the address that receives alerts
  --support-email E     sets up sign-in with e-mail and with Google, which shows this address to users, as the studio does
  --monthly-budget N    mails the billing account's admins at 50, 90 and 100 % of N in its currency; 100 by default, 0 for none
  --dry-run             prints all commands as a shell script, and runs none
  --out FILE            writes the script of --dry-run into a file, without npm's own lines`;

/** Dollars. A new studio cannot spend more on a day by mistake or by abuse. */
const defaultSpendPerDay = '20';
const defaultMonthlyBudget = '100';

/** Variables that the deploy sets itself, or that do not belong in a settings file. */
const reservedNames =
  /^(GOOGLE_CLOUD_PROJECT|FIRESTORE_DATABASE_ID|GEMINI_API_KEY|CLOUDINARY_URL|IDENTITY_HASH_KEY|ERASURE_LOG_BUCKET|STRIPE_SECRET_KEY|STRIPE_WEBHOOK_SECRET|STRIPE_API_BASE_URL|FUNCTION_TARGET|PORT|K_\w+|SCHEDULER_\w+|\w+_EMULATOR_HOST|LOCAL_DATA_DIR)$/;

/** @throws {DeployRefused} naming the option or variable that is missing or wrong. */
export function parseOptions(args: string[], readFile: (path: string) => string = readText): DeployOptions {
  const values = parseCommandLine(args);
  const { project, region } = values;
  if (!project || !/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(project))
    throw toRefusal('--project must be a project id');
  if (!region || !/^[a-z]+-[a-z]+\d+$/.test(region))
    throw toRefusal('--region must be a region such as us-central1');
  const location = values.location ?? region;
  if (!/^([a-z]+-[a-z]+\d+|[a-z]{3,4}\d)$/.test(location))
    throw toRefusal('--location must be a Firestore location');
  const supportEmail = parseEmail(values, 'support-email');
  const settings: Record<string, string> = {
    MAX_SPEND_PER_DAY_USD: defaultSpendPerDay,
    ...(supportEmail && { SUPPORT_EMAIL: supportEmail }),
    ...withModel(values.settings ? parseSettings(readFile(values.settings)) : {}),
  };
  const [geminiFile, cloudinaryFile] = [values['gemini-key-file'], values['cloudinary-file']];
  const { 'stripe-key-file': stripeFile, 'rotate-webhook-secret': rotateWebhookSecret = false } = values;
  const { 'monthly-budget': monthlyBudget = defaultMonthlyBudget, 'dry-run': dryRun = false, out } = values;
  if (!/^\d{1,9}$/.test(monthlyBudget)) throw toRefusal('--monthly-budget must be a whole number');
  if (out && !dryRun) throw toRefusal('--out needs --dry-run');
  const payments = settings.CREDIT_PACKS !== undefined;
  if (!payments && (stripeFile || rotateWebhookSecret))
    throw toRefusal('--stripe-key-file and --rotate-webhook-secret need CREDIT_PACKS in the settings');
  return {
    project,
    region,
    location,
    settings,
    vertexAi: checkConfig(project, settings).gemini.vertexAi,
    secretFiles: checkSecretFiles(
      { GEMINI_API_KEY: geminiFile, CLOUDINARY_URL: cloudinaryFile, STRIPE_SECRET_KEY: stripeFile },
      readFile,
    ),
    payments,
    stripeMode: stripeFile ? parseStripeMode(readFile(stripeFile)) : undefined,
    rotateWebhookSecret,
    alertEmail: parseEmail(values, 'alert-email'),
    supportEmail,
    monthlyBudget: Number(monthlyBudget),
    dryRun,
    out,
  };
}

function parseCommandLine(args: string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args,
      options: {
        project: text,
        region: text,
        location: text,
        settings: text,
        'gemini-key-file': text,
        'cloudinary-file': text,
        'stripe-key-file': text,
        'rotate-webhook-secret': { type: 'boolean' },
        'alert-email': text,
        'support-email': text,
        'monthly-budget': text,
        'dry-run': { type: 'boolean' },
        out: text,
      },
    }).values;
  } catch (error) {
    throw toRefusal((error as Error).message);
  }
}

/** Requires exactly one address on one line, because it goes into commands and into comments of the script. */
function parseEmail(values: ReturnType<typeof parseCommandLine>, name: 'alert-email' | 'support-email') {
  const value = values[name];
  if (value === undefined || /^[^\s@,{}]+@[\w.-]+$/.test(value)) return value;
  throw toRefusal(`--${name} must be an e-mail address`);
}

function parseSettings(text: string): Record<string, string> {
  const settings = parseEnv(text) as Record<string, string>;
  const forbiddenNames = Object.keys(settings).filter((name) => reservedNames.test(name));
  if (forbiddenNames.length > 0)
    throw toRefusal(`The settings must not contain ${forbiddenNames.join(', ')}`);
  const unknownNames = Object.keys(settings).filter((name) => !(name in environmentSchema.shape));
  if (unknownNames.length > 0)
    throw toRefusal(
      `The settings have ${unknownNames.join(', ')}, which no function reads; see docs/setup/environment.md`,
    );
  // {{ marks a variable that an earlier step sets, and becomes a shell variable in the script.
  const placeholders = Object.keys(settings).filter((name) => settings[name]?.includes('{{'));
  if (placeholders.length > 0)
    throw toRefusal(`The settings must not contain {{ in ${placeholders.join(', ')}`);
  return settings;
}

/**
 * The settings with the model that is called first. Google may end the functions' own default at any time, so a
 * deployment without a choice gets its successor.
 */
function withModel(settings: Record<string, string>): Record<string, string> {
  const hasModel = settings.IMAGEGEN_MODEL_ID || settings.IMAGEGEN_GEMINI_MODEL_ID;
  return hasModel ? settings : { ...settings, IMAGEGEN_MODEL_ID: successorModelId };
}

/** Parses the configuration as the functions will, so that a bad value stops the deploy. */
function checkConfig(project: string, settings: Record<string, string>) {
  try {
    const config = parseConfig({ ...settings, GOOGLE_CLOUD_PROJECT: project });
    checkTimeouts(config);
    checkPublicUrl(settings.PUBLIC_URL);
    return config;
  } catch (error) {
    throw toRefusal((error as Error).message);
  }
}

/** People come back to this address from Stripe, and pages there are shared: no path, and nothing without TLS. */
function checkPublicUrl(url: string | undefined): void {
  if (!url || (url.startsWith('https://') && new URL(url).origin === url.replace(/\/+$/, ''))) return;
  throw new Error('PUBLIC_URL must be an address such as https://studio.example.com');
}

/** The mode of a key. @throws {DeployRefused} for a publishable key, or something else. */
export function parseStripeMode(key: string): StripeMode {
  const mode = /^[sr]k_(test|live)_\w+$/.exec(key.trim())?.[1];
  if (mode) return mode as StripeMode;
  throw new DeployRefused("Stripe's key must be a secret or restricted key: sk_… or rk_….");
}

/** @throws {DeployRefused} for a value that the functions would refuse. The message never contains the value. */
function checkSecretFiles(
  files: DeployOptions['secretFiles'],
  readFile: (path: string) => string,
): DeployOptions['secretFiles'] {
  for (const [secret, file] of Object.entries(files)) {
    if (file === undefined) continue;
    const value = readFile(file).trim();
    if (value === '') throw new DeployRefused(`${secret} is empty.`);
    try {
      parseConfig({ GOOGLE_CLOUD_PROJECT: 'any', [secret]: value });
    } catch (error) {
      throw new DeployRefused(error instanceof ConfigError ? error.message : `${secret} is not valid.`);
    }
  }
  return files;
}

const toRefusal = (message: string) => new DeployRefused(`${message}.\n\n${usage}`);

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new DeployRefused(`${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}
