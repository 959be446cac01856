/**
 * The environment, parsed once by one schema. Names are their owners' where they have one.
 * A bad value stops the start with a message that names the variable and never its value.
 */
import { z } from 'zod';

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
    z
      .string()
      .regex(/^cloudinary:\/\/[^:@/]+:[^:@/]+@[^:@/?]+/, 'must be cloudinary://key:secret@cloud')
      .optional(),
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
  IMAGEGEN_MODEL_ID: text,
  IMAGEGEN_GEMINI_MODEL_ID: text,
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
  return {
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
    modelId: e.IMAGEGEN_MODEL_ID ?? e.IMAGEGEN_GEMINI_MODEL_ID ?? 'gemini-2.5-flash-image',
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
