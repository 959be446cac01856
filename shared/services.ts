/** The parts that functions share. Each is made at its first use, so that a cold start pays only for what it needs. */
import type { Auth } from './auth/auth.ts';
import type { Users } from './auth/users.ts';
import type { Config } from './config/config.ts';
import { type Clock, systemClock } from './core/clock.ts';
import type { Log } from './core/log.ts';
import { createRateLimiter, type RateLimiter } from './core/rateLimit.ts';
import type { Database } from './database/database.ts';
import type { ErasureLog } from './erasures/erasures.ts';
import type { Gemini } from './imagegen/gemini.ts';
import type { GenerateImage } from './imagegen/modelFallback.ts';
import { type ImageModel, imageModel } from './imagegen/models.ts';
import type { Quota } from './imagegen/quota.ts';
import type { QuotaState } from './imagegen/quotaState.ts';
import type { Spend } from './imagegen/spendCeiling.ts';
import type { ImageStore } from './images/cloudinary.ts';
import { createStoreAccess, type StoreAccess } from './images/storeAccess.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { PackList } from './payments/packs.ts';
import type { StripeApi } from './payments/stripe.ts';
import type { Enhancer } from './prompts/enhance.ts';

export type Services = {
  config: Config;
  log: Log;
  clock: Clock;
  /** The image models, in the order in which they are asked. */
  models: readonly ImageModel[];
  rateLimiter: RateLimiter;
  auth(): Promise<Auth>;
  /** The users of Firebase Authentication. Undefined where there are none: neither deployed nor with the emulator. */
  users(): Promise<Users | undefined>;
  /** Undefined if none is configured. */
  erasureLog(): Promise<ErasureLog | undefined>;
  ledger(): Promise<Ledger>;
  quota(): Promise<Quota>;
  /** The models' states as this instance last saw them; empty until it generates its first image. */
  modelStates: ReadonlyMap<string, QuotaState>;
  spend(): Promise<Spend>;
  imageGenerator(): Promise<GenerateImage>;
  enhancer(): Promise<Enhancer>;
  imageStore(): Promise<ImageStore>;
  storeAccess: StoreAccess;
  /** Undefined where nothing is sold. */
  payments(): Promise<{ stripe: StripeApi; packs: PackList } | undefined>;
  /** Loads the modules of parts that a function will need, while it waits for something else. */
  preload(dependencies: readonly Dependency[]): void;
  /** Aborts when the process must end and the grace for work in flight is over. */
  shutdown: AbortSignal;
};

/** Parts that a test puts in place of the real ones. */
export type Overrides = {
  clock?: Clock;
  database?: Database;
  auth?: Auth;
  users?: Users;
  gemini?: Gemini;
  imageGenerator?: GenerateImage;
  imageStore?: ImageStore;
  stripe?: StripeApi;
};

/** Parts that load a vendor's package, which takes long. */
const modules = {
  database: () => import('./database/firestore.ts'),
  gemini: () => import('./imagegen/gemini.ts'),
  imageStore: () => import('./images/cloudinary.ts'),
};
export type Dependency = keyof typeof modules;

/** Makes a value at the first call, and returns the same value from then on. */
export const lazy = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
};

/** Makes the services for a configuration. */
export function createServices(
  config: Config,
  log: Log,
  shutdown: AbortSignal,
  overrides: Overrides = {},
): Services {
  const { signupCredits, disposableEmailCredits, allowance, tierCredits, limits, modelIds } = config;
  const { version: termsVersion } = config.terms;
  const clock = overrides.clock ?? systemClock;
  const models = modelIds.map((id) => imageModel(id, config.modelCostMicros[id]));
  const modelStates = new Map<string, QuotaState>();
  const preloaded = new Set<Dependency>();

  const gemini = lazy(async () => overrides.gemini ?? (await modules.gemini()).createGemini(config, log));
  const ledger = lazy(async () => {
    const { createLedger } = await import('./ledger/ledger.ts');
    const database = overrides.database ?? (await modules.database()).createDatabase(config);
    return createLedger(
      database,
      {
        signupCredits,
        disposableEmailCredits,
        allowance,
        tierCredits,
        limits,
        termsVersion,
        holdMs: config.generateTimeoutMs + config.holdGraceMs,
      },
      log,
      clock,
    );
  });
  const quota = lazy(async () => {
    const { createQuota } = await import('./imagegen/quota.ts');
    return createQuota({ ...(await ledger()), clock, modelIds, states: modelStates });
  });

  return {
    config,
    log,
    clock,
    models,
    rateLimiter: createRateLimiter(clock.elapsed),
    shutdown,
    ledger,
    quota,
    modelStates,
    storeAccess: createStoreAccess(clock),
    preload: (dependencies) => {
      const missing = dependencies.filter((need) => !(need in overrides) && !preloaded.has(need));
      for (const need of missing) preloaded.add(need);
      void loadInTurn(missing).catch(() => {});
    },
    auth: lazy(async () => overrides.auth ?? (await import('./auth/auth.ts')).createAuth(config, log)),
    users: lazy(async () => {
      if (overrides.users) return overrides.users;
      if (!config.deployed && !config.authEmulatorHost) return undefined;
      return (await import('./auth/users.ts')).createUsers(config, log);
    }),
    erasureLog: lazy(async () => {
      if (config.erasureLog === undefined) return undefined;
      const [{ createErasureLog }, { fetchAccessToken }] = await Promise.all([
        import('./erasures/erasureLog.ts'),
        import('./auth/accessToken.ts'),
      ]);
      return createErasureLog(config.erasureLog, fetchAccessToken);
    }),
    spend: lazy(async () => {
      const { createSpend } = await import('./imagegen/spendCeiling.ts');
      return createSpend({ ...(await ledger()), clock, ceilingMicros: config.maxSpendPerDayMicros });
    }),
    imageGenerator: lazy(async () => {
      if (overrides.imageGenerator) return overrides.imageGenerator;
      const { createModelFallback } = await import('./imagegen/modelFallback.ts');
      const { retry } = config;
      return createModelFallback({ gemini: await gemini(), quota: await quota(), models, retry, clock, log });
    }),
    enhancer: lazy(async () => {
      const { createEnhancer } = await import('./prompts/enhance.ts');
      return createEnhancer(gemini, config.prompt, log);
    }),
    payments: lazy(async () => {
      const { secretKey } = config.stripe;
      if (secretKey === undefined) return undefined;
      const [{ createPackList }, { createStripe }] = await Promise.all([
        import('./payments/packs.ts'),
        import('./payments/stripe.ts'),
      ]);
      const stripe = overrides.stripe ?? createStripe({ stripe: { ...config.stripe, secretKey } }, log);
      return { stripe, packs: createPackList(config.creditPacks, stripe, clock, log) };
    }),
    imageStore: lazy(
      async () => overrides.imageStore ?? (await modules.imageStore()).createImageStore(config),
    ),
  };
}

/** Loads one after another, so that other work, such as the answer with Google's keys, can run in between. */
async function loadInTurn(dependencies: readonly Dependency[]): Promise<void> {
  for (const need of dependencies) {
    await new Promise((resolve) => setImmediate(resolve));
    await modules[need]();
  }
}
