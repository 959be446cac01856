/**
 * The environment, parsed once by one schema. Names are their owners' where they have one.
 * A bad value stops the start with a message that names the variable and never its value.
 */

import { fallbackModelIdsDefault, isKnownModel, modelIdDefault } from '../imagegen/models.ts';
import { environmentSchema } from './environment.ts';

/** Thrown when the environment will not do: `message` names every variable at fault. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/**
 * The configuration from an environment.
 * @throws {ConfigError} naming each bad variable, never a value.
 */
export function parseConfig(env: Record<string, string | undefined>) {
  // Once in a process: writing and compiling code of its own for it, as for the schemas of requests, pays for none.
  const parsed = environmentSchema.safeParse(env, { jitless: true });
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
    throw new ConfigError(`Bad environment: ${faults.join('; ')}.`);
  }
  const e = parsed.data;
  const emulators = Object.keys(env).filter((name) => name.endsWith('_EMULATOR_HOST') && env[name]);
  if (e.K_SERVICE && emulators.length > 0) {
    throw new ConfigError(
      `Bad environment: ${emulators.join(', ')} must not be set on Cloud Run (K_SERVICE).`,
    );
  }
  const primary = e.IMAGEGEN_MODEL_ID ?? e.IMAGEGEN_GEMINI_MODEL_ID ?? modelIdDefault;
  const modelIds = [...new Set([primary, ...(e.IMAGEGEN_FALLBACK_MODEL_IDS ?? fallbackModelIdsDefault)])];
  const unknown = modelIds.find((id) => !isKnownModel(id) && !Object.hasOwn(e.IMAGEGEN_MODEL_COSTS_USD, id));
  if (unknown !== undefined) {
    const name = unknown === primary ? 'IMAGEGEN_MODEL_ID' : 'IMAGEGEN_FALLBACK_MODEL_IDS';
    throw new ConfigError(
      `Bad environment: ${name} names a model that we do not know; say in IMAGEGEN_MODEL_COSTS_USD what its images cost.`,
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
    /** The model that is asked first. */
    modelId: primary,
    /** All of them, in the order in which they are asked. */
    modelIds,
    modelCostMicros: e.IMAGEGEN_MODEL_COSTS_USD,
    prompt: { modelId: e.PROMPT_MODEL_ID, timeoutMs: e.PROMPT_TIMEOUT_MS },
    retry: { attempts: e.RETRY_ATTEMPTS, baseDelayMs: e.RETRY_BASE_DELAY_MS },
    cacheTtlSeconds: e.CACHE_TTL_SECONDS,
    allowance: { credits: e.ALLOWANCE_CREDITS, period: e.ALLOWANCE_PERIOD },
    maxSpendPerDayMicros: e.MAX_SPEND_PER_DAY_USD,
    cloudinaryUrl: e.CLOUDINARY_URL,
    generateTimeoutMs: e.GENERATE_TIMEOUT_MS,
    holdGraceMs: e.HOLD_GRACE_MS,
    signupCredits: e.SIGNUP_CREDITS,
    limits: {
      maxInFlightPerUser: e.MAX_IN_FLIGHT_PER_USER,
      maxPerMinutePerUser: e.MAX_PER_MINUTE_PER_USER,
    },
    allowedOrigins: e.ALLOWED_ORIGINS,
    scheduler: { audience: e.SCHEDULER_AUDIENCE, serviceAccount: e.SCHEDULER_SERVICE_ACCOUNT },
  };
}

export type Config = ReturnType<typeof parseConfig>;

/** Shortest key that can be a real one, characters: those of stand-ins are words that a line may well have. */
const secretCharactersMin = 20;

/** What no line of a log may show, whatever error quotes it. */
export function getSecrets({ gemini, cloudinaryUrl }: Config): string[] {
  const encoded = cloudinaryUrl && new URL(cloudinaryUrl).password;
  const secrets = [gemini.apiKey, encoded, encoded && decodeURIComponent(encoded)];
  return secrets.filter((secret) => secret !== undefined && secret.length >= secretCharactersMin) as string[];
}
