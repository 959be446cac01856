/** What the deploy is told: the command line and a file of settings, checked before anything is made. */
import { readFileSync } from 'node:fs';
import { parseArgs, parseEnv } from 'node:util';
import { ConfigError, parseConfig } from '../../shared/config/config.ts';
import { checkTimeouts, type Secret } from './manifest.ts';

export type DeployOptions = {
  project: string;
  region: string;
  /** Where the database is made, if it is not there: a region, or `nam5` or `eur3`. Never changes afterwards. */
  location: string;
  /** Variables of the functions over their defaults, the same for all. */
  settings: Record<string, string>;
  vertexAi: boolean;
  /** Files that hold the secrets' values; of the others a person is asked, where they are not there yet. */
  secretFiles: Partial<Record<Secret, string>>;
  alertEmail: string | undefined;
  supportEmail: string | undefined;
  dryRun: boolean;
};

/** Why the deploy cannot begin, in words for the person who asked for it. */
export class DeployRefused extends Error {
  override name = 'DeployRefused';
}

const usage = `npm run deploy -- --project PROJECT --region REGION
  --location L          where Firestore is made if it is missing, for good; the region, unless you say otherwise
  --settings FILE       NAME=value lines for the functions (docs/setup/environment.md)
  --gemini-key-file F   the file with the key of the Gemini API; you are asked where it is left out
  --cloudinary-file F   the file with CLOUDINARY_URL
  --alert-email E       who is told when an alert goes off
  --support-email E     sets up sign-in with e-mail and with Google; the address is shown to users
  --dry-run             prints every command, as a shell script, and does nothing`;

/** Variables that the deploy sets itself, or that have no place in a file of settings. */
const reservedNames =
  /^(GOOGLE_CLOUD_PROJECT|FIRESTORE_DATABASE_ID|GEMINI_API_KEY|CLOUDINARY_URL|FUNCTION_TARGET|PORT|K_\w+|SCHEDULER_\w+|\w+_EMULATOR_HOST|LOCAL_DATA_DIR)$/;

/** @throws {DeployRefused} saying what is missing or wrong. */
export function parseOptions(args: string[], readFile: (path: string) => string = readText): DeployOptions {
  const values = parseCommandLine(args);
  const { project, region } = values;
  if (!project || !/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(project))
    throw toRefusal('--project must be the id of a project');
  if (!region || !/^[a-z]+-[a-z]+\d+$/.test(region))
    throw toRefusal('--region must be a region such as us-central1');
  const location = values.location ?? region;
  if (!/^([a-z]+-[a-z]+\d+|[a-z]{3,4}\d)$/.test(location))
    throw toRefusal('--location must be a location of Firestore');
  const settings = values.settings ? parseSettings(readFile(values.settings)) : {};
  const [geminiFile, cloudinaryFile] = [values['gemini-key-file'], values['cloudinary-file']];
  return {
    project,
    region,
    location,
    settings,
    vertexAi: checkConfig(project, settings).gemini.vertexAi,
    secretFiles: {
      ...(geminiFile && { GEMINI_API_KEY: geminiFile }),
      ...(cloudinaryFile && { CLOUDINARY_URL: cloudinaryFile }),
    },
    alertEmail: parseEmail(values, 'alert-email'),
    supportEmail: parseEmail(values, 'support-email'),
    dryRun: values['dry-run'] ?? false,
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
        'alert-email': text,
        'support-email': text,
        'dry-run': { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw toRefusal((error as Error).message);
  }
}

/** An e-mail address goes into commands, and into the comments of the script: it must be one, on one line. */
function parseEmail(values: ReturnType<typeof parseCommandLine>, name: 'alert-email' | 'support-email') {
  const value = values[name];
  if (value === undefined || /^[^\s@,{}]+@[\w.-]+$/.test(value)) return value;
  throw toRefusal(`--${name} must be an e-mail address`);
}

function parseSettings(text: string): Record<string, string> {
  const settings = parseEnv(text) as Record<string, string>;
  const forbiddenNames = Object.keys(settings).filter((name) => reservedNames.test(name));
  if (forbiddenNames.length > 0) throw toRefusal(`The settings must not have ${forbiddenNames.join(', ')}`);
  // In a command it would stand for what an earlier step has found out, in the script for a variable of the shell.
  const placeholders = Object.keys(settings).filter((name) => settings[name]?.includes('{{'));
  if (placeholders.length > 0) throw toRefusal(`The settings must not have {{ in ${placeholders.join(', ')}`);
  return settings;
}

/** The configuration that the functions will read, so that one they would refuse is refused here. */
function checkConfig(project: string, settings: Record<string, string>) {
  try {
    const config = parseConfig({ ...settings, GOOGLE_CLOUD_PROJECT: project });
    checkTimeouts(config);
    return config;
  } catch (error) {
    throw toRefusal((error as Error).message);
  }
}

/** @throws {DeployRefused} for a value that the functions would refuse; never with the value in it. */
export function checkSecret(secret: Secret, value: string): void {
  if (value === '') throw new DeployRefused(`${secret} is empty.`);
  try {
    parseConfig({ GOOGLE_CLOUD_PROJECT: 'any', [secret]: value });
  } catch (error) {
    throw new DeployRefused(error instanceof ConfigError ? error.message : `${secret} is not valid.`);
  }
}

const toRefusal = (message: string) => new DeployRefused(`${message}.\n\n${usage}`);
const readText = (path: string) => readFileSync(path, 'utf8');
