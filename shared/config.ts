/**
 * The environment, parsed once by one schema. Names are their owners' where they have one.
 * A bad value stops the start with a message that names the variable and never its value.
 */
import { z } from 'zod';
import { fallbackModelIdsDefault, imagenSuccessor, isKnownModel } from './models.ts';

/** A variable set to nothing is one that is not set. */
const unset = (value: unknown) => (value === '' ? undefined : value);

const text = z.preprocess(unset, z.string().optional());
const textOr = (fallback: string) => z.preprocess(unset, z.string().default(fallback));
const wholeNumber = (fallback: number, min: number, max: number) =>
  z.preprocess(
    unset,
    z
      .string()
      .regex(/^\d{1,15}$/, 'must be a whole number')
      .transform(Number)
      .refine((value) => value >= min && value <= max, `must be from ${min} to ${max}`)
      .default(fallback),
  );
const url = z.preprocess(unset, z.url({ protocol: /^https?$/, error: 'must be a URL' }).optional());
const hostAndPort = z.preprocess(
  unset,
  z
    .string()
    .regex(/^(\[[0-9a-fA-F:]+\]|[^:/\s]+):\d{1,5}$/, 'must be host:port')
    .optional(),
);
const flag = z.preprocess(
  unset,
  z
    .string()
    .regex(/^(true|false|1|0)$/i, 'must be true or false')
    .transform((value) => value === '1' || value.toLowerCase() === 'true')
    .default(false),
);
const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** Dollars as micro-dollars. */
const dollars = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,6})?$/, 'must be an amount of dollars')
  .transform((value) => Math.round(Number(value) * 1_000_000));

const modelId = z.preprocess(
  unset,
  z
    .string()
    .refine(
      (id) => !id.startsWith('imagen-'),
      `names an Imagen model, which are retired; use ${imagenSuccessor}`,
    )
    .refine((id) => /^[\w.-]{1,100}$/.test(id), 'is not the id of a model')
    .optional(),
);

/** `model=dollars` pairs: what one image costs of models that we do not know. */
const modelCosts = list
  .refine(
    (pairs) => pairs.every((pair) => /^[\w.-]{1,100}=\d{1,6}(\.\d{1,6})?$/.test(pair)),
    'must be model=dollars pairs',
  )
  .transform((pairs) => {
    const entries = pairs.map((pair) => pair.split('=') as [string, string]);
    return Object.fromEntries(entries.map(([id, cost]) => [id, Math.round(Number(cost) * 1_000_000)]));
  });

function isCloudinaryUrl(value: string): boolean {
  if (!/^cloudinary:\/\/[^:@/]+:[^:@/]+@[^:@/?]+/.test(value)) return false;
  try {
    const { username, password } = new URL(value);
    return decodeURIComponent(username + password) !== '';
  } catch {
    return false;
  }
}

const isOrigin = (value: string) => URL.canParse(value) && new URL(value).origin === value;

const dayMs = 86_400_000;

const environmentSchema = z.object({
  GOOGLE_CLOUD_PROJECT: z.preprocess(unset, z.string({ error: 'is required' })),
  FIRESTORE_DATABASE_ID: textOr('(default)'),
  FIRESTORE_EMULATOR_HOST: hostAndPort,
  FIREBASE_AUTH_EMULATOR_HOST: hostAndPort,
  GEMINI_API_KEY: text,
  GOOGLE_GEMINI_BASE_URL: url,
  GOOGLE_GENAI_USE_VERTEXAI: flag,
  GOOGLE_CLOUD_LOCATION: text,
  CLOUDINARY_URL: z.preprocess(
    unset,
    z.string().refine(isCloudinaryUrl, 'must be cloudinary://key:secret@cloud').optional(),
  ),
  PORT: wholeNumber(8080, 0, 65_535),
  K_SERVICE: text,
  K_REVISION: text,
  FUNCTION_TARGET: text,
  IMAGEGEN_PROVIDER: z.preprocess(
    unset,
    z
      .enum(['gemini', 'imagen', 'gemini_imagen', 'nano_banana', 'gemini_nano_banana'], {
        error: 'must be one of gemini, imagen, gemini_imagen, nano_banana, gemini_nano_banana',
      })
      .default('gemini_nano_banana'),
  ),
  IMAGEGEN_MODEL_ID: modelId,
  IMAGEGEN_GEMINI_MODEL_ID: modelId,
  IMAGEGEN_FALLBACK_MODEL_IDS: list
    .refine(
      (ids) => !ids.some((id) => id.startsWith('imagen-')),
      `names an Imagen model, which are retired; use ${imagenSuccessor}`,
    )
    .refine((ids) => ids.every((id) => /^[\w.-]{1,100}$/.test(id)), 'must be ids of models')
    .optional(),
  IMAGEGEN_MODEL_COSTS_USD: modelCosts.prefault(''),
  PROMPT_MODEL_ID: textOr('gemini-3.5-flash-lite'),
  PROMPT_TIMEOUT_MS: wholeNumber(4_000, 1, 60_000),
  RETRY_ATTEMPTS: wholeNumber(3, 1, 10),
  RETRY_BASE_DELAY_MS: wholeNumber(500, 0, 60_000),
  CACHE_TTL_SECONDS: wholeNumber(0, 0, 365 * 86_400),
  ALLOWANCE_CREDITS: wholeNumber(0, 0, 1_000_000),
  ALLOWANCE_PERIOD: z.preprocess(
    unset,
    z.enum(['day', 'week', 'month'], { error: 'must be one of day, week, month' }).default('month'),
  ),
  MAX_SPEND_PER_DAY_USD: z.preprocess(unset, dollars.optional()),
  GENERATE_TIMEOUT_MS: wholeNumber(120_000, 100, 3_500_000),
  HOLD_GRACE_MS: wholeNumber(60_000, 0, dayMs),
  SIGNUP_CREDITS: wholeNumber(10, 0, 1_000_000),
  MAX_IN_FLIGHT_PER_USER: wholeNumber(4, 1, 1_000),
  MAX_PER_MINUTE_PER_USER: wholeNumber(20, 1, 10_000),
  ALLOWED_ORIGINS: list
    .refine((origins) => origins.every(isOrigin), 'must be origins such as https://example.com')
    .prefault(''),
  SCHEDULER_AUDIENCE: text,
  SCHEDULER_SERVICE_ACCOUNT: text,
});

/** Thrown when the environment will not do: `message` names every variable at fault. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/**
 * The configuration from an environment.
 * @throws {ConfigError} naming each bad variable, never a value.
 */
export function parseConfig(env: Record<string, string | undefined>) {
  const parsed = environmentSchema.safeParse(env);
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
  const primary = e.IMAGEGEN_MODEL_ID ?? e.IMAGEGEN_GEMINI_MODEL_ID ?? 'gemini-2.5-flash-image';
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
export function secretsOf({ gemini, cloudinaryUrl }: Config): string[] {
  const encoded = cloudinaryUrl && new URL(cloudinaryUrl).password;
  const secrets = [gemini.apiKey, encoded, encoded && decodeURIComponent(encoded)];
  return secrets.filter((secret) => secret !== undefined && secret.length >= secretCharactersMin) as string[];
}
