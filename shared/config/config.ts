/**
 * Parses the environment once, by one schema. Variables that belong to a vendor keep the vendor's names.
 * A bad value stops the start with a message that names the variable, never its value.
 */

import { fallbackModelIdsDefault, modelIdDefault } from '../imagegen/modelOrder.ts';
import { isKnownModel } from '../imagegen/models.ts';
import { environmentSchema } from './environment.ts';

/** The key of every local run, so that processes on one database agree about a person. */
const localIdentityKey = 'local';

/** An invalid environment. `message` names every invalid variable. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/**
 * Parses an environment into the configuration.
 * @throws {ConfigError} naming each bad variable, never a value.
 */
export function parseConfig(env: Record<string, string | undefined>) {
  // zod compiles schemas to code by default. This one runs once per process, which does not pay for that.
  const parsed = environmentSchema.safeParse(env, { jitless: true });
  if (!parsed.success) {
    const messages = parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
    throw new ConfigError(`Bad environment: ${messages.join('; ')}.`);
  }
  const e = parsed.data;
  const emulators = Object.keys(env).filter((name) => name.endsWith('_EMULATOR_HOST') && env[name]);
  if (e.K_SERVICE && emulators.length > 0) {
    throw new ConfigError(
      `Bad environment: ${emulators.join(', ')} must not be set on Cloud Run (K_SERVICE).`,
    );
  }
  if (e.K_SERVICE && !e.IDENTITY_HASH_KEY?.length) {
    throw new ConfigError('Bad environment: IDENTITY_HASH_KEY is required on Cloud Run (K_SERVICE).');
  }
  const primary = e.IMAGEGEN_MODEL_ID ?? e.IMAGEGEN_GEMINI_MODEL_ID ?? modelIdDefault;
  const modelIds = [...new Set([primary, ...(e.IMAGEGEN_FALLBACK_MODEL_IDS ?? fallbackModelIdsDefault)])];
  const unknown = modelIds.find((id) => !isKnownModel(id) && !Object.hasOwn(e.IMAGEGEN_MODEL_COSTS_USD, id));
  if (unknown !== undefined) {
    const name = unknown === primary ? 'IMAGEGEN_MODEL_ID' : 'IMAGEGEN_FALLBACK_MODEL_IDS';
    throw new ConfigError(
      `Bad environment: ${name} names an unknown model; set the cost of its images in IMAGEGEN_MODEL_COSTS_USD.`,
    );
  }
  return {
    service: e.K_SERVICE ?? 'nano-banana-studio',
    version: e.K_REVISION ?? 'local',
    deployed: e.K_SERVICE !== undefined,
    functionTarget: e.FUNCTION_TARGET,
    port: e.PORT,
    projectId: e.GOOGLE_CLOUD_PROJECT,
    databaseId: e.FIRESTORE_DATABASE_ID,
    firestoreEmulatorHost: e.FIRESTORE_EMULATOR_HOST,
    authEmulatorHost: e.FIREBASE_AUTH_EMULATOR_HOST,
    gemini: {
      apiKey: e.GEMINI_API_KEY,
      baseUrl: e.GOOGLE_GEMINI_BASE_URL,
      vertexAi: e.GOOGLE_GENAI_USE_VERTEXAI,
      location: e.GOOGLE_CLOUD_LOCATION,
    },
    /** The model that is called first. */
    modelId: primary,
    /** All models in the order of their calls. */
    modelIds,
    modelCostMicros: e.IMAGEGEN_MODEL_COSTS_USD,
    prompt: {
      modelId: e.PROMPT_MODEL_ID,
      timeoutMs: e.PROMPT_TIMEOUT_MS,
      maxPerDayPerUser: e.MAX_ENHANCE_PER_DAY_PER_USER,
    },
    retry: { attempts: e.RETRY_ATTEMPTS, baseDelayMs: e.RETRY_BASE_DELAY_MS },
    cacheTtlSeconds: e.CACHE_TTL_SECONDS,
    allowance: { credits: e.ALLOWANCE_CREDITS, period: e.ALLOWANCE_PERIOD },
    maxSpendPerDayMicros: e.MAX_SPEND_PER_DAY_USD,
    cloudinaryUrl: e.CLOUDINARY_URL,
    /** Where people reach the studio, without a slash at the end. */
    publicUrl:
      e.PUBLIC_URL ??
      (e.K_SERVICE ? `https://${e.GOOGLE_CLOUD_PROJECT}.web.app` : `http://localhost:${e.PORT}`),
    sharedImagesIndexed: e.SHARED_IMAGES_INDEXED,
    stripe: {
      /** Nothing is sold without it. */
      secretKey: e.STRIPE_SECRET_KEY,
      webhookSecrets: e.STRIPE_WEBHOOK_SECRET,
      baseUrl: e.STRIPE_API_BASE_URL,
      managedPayments: e.STRIPE_MANAGED_PAYMENTS,
    },
    /** What is sold. */
    creditPacks: e.CREDIT_PACKS,
    generateTimeoutMs: e.GENERATE_TIMEOUT_MS,
    holdGraceMs: e.HOLD_GRACE_MS,
    signupCredits: e.SIGNUP_CREDITS,
    disposableEmailCredits: e.DISPOSABLE_EMAIL_CREDITS,
    /** The first one hashes new identities; the others have done so before. */
    identityKeys: e.IDENTITY_HASH_KEY ?? [localIdentityKey],
    /** The price of an image of each tier, credits. */
    tierCredits: e.TIER_CREDITS,
    limits: {
      maxInFlightPerUser: e.MAX_IN_FLIGHT_PER_USER,
      maxPerMinutePerUser: e.MAX_PER_MINUTE_PER_USER,
      maxRefundsPerHourPerUser: e.MAX_REFUNDS_PER_HOUR_PER_USER,
    },
    /** A bucket, or the `file:` address of a folder. */
    erasureLog: e.ERASURE_LOG_BUCKET,
    terms: { version: e.TERMS_VERSION, termsUrl: e.TERMS_URL, privacyUrl: e.PRIVACY_URL },
    supportEmail: e.SUPPORT_EMAIL,
    allowedOrigins: e.ALLOWED_ORIGINS,
    scheduler: { audience: e.SCHEDULER_AUDIENCE, serviceAccount: e.SCHEDULER_SERVICE_ACCOUNT },
  };
}

export type Config = ReturnType<typeof parseConfig>;

/** Shortest key that can be a real one, characters. Keys of fakes are words that may occur in a log line. */
const secretCharactersMin = 20;

/** The secrets that must never appear in a log line. */
export function getSecrets({ gemini, cloudinaryUrl, identityKeys, stripe }: Config): string[] {
  const encoded = cloudinaryUrl && new URL(cloudinaryUrl).password;
  const secrets = [
    gemini.apiKey,
    encoded,
    encoded && decodeURIComponent(encoded),
    stripe.secretKey,
    ...stripe.webhookSecrets,
    ...identityKeys,
  ];
  return secrets.filter((secret) => secret !== undefined && secret.length >= secretCharactersMin) as string[];
}
