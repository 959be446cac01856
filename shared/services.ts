/** What the functions share, each part made at its first use, so that a cold start pays only for what it needs. */
import type { Auth } from './auth.ts';
import type { Config } from './config/config.ts';
import { type Clock, systemClock } from './core/clock.ts';
import type { Log } from './core/log.ts';
import { createRateLimiter, type RateLimiter } from './core/rateLimit.ts';
import type { Database } from './database/database.ts';
import type { Enhancer } from './imagegen/enhance.ts';
import type { Gemini } from './imagegen/gemini.ts';
import type { Painter } from './imagegen/modelFallback.ts';
import { type ImageModel, imageModel } from './imagegen/models.ts';
import type { Quota, QuotaState } from './imagegen/quota.ts';
import type { Spend } from './imagegen/spendCeiling.ts';
import type { ImageStore } from './images/cloudinary.ts';
import type { Books } from './ledger/ledger.ts';

export type Studio = {
  config: Config;
  log: Log;
  clock: Clock;
  /** The image models in the order in which they are asked. */
  models: readonly ImageModel[];
  rateLimiter: RateLimiter;
  auth(): Promise<Auth>;
  books(): Promise<Books>;
  quota(): Promise<Quota>;
  /** What this instance has last seen of the models' states; nothing before it was asked to paint. */
  modelStates: ReadonlyMap<string, QuotaState>;
  spend(): Promise<Spend>;
  painter(): Promise<Painter>;
  enhancer(): Promise<Enhancer>;
  imageStore(): Promise<ImageStore>;
  /** Loads the modules of what a function will need while it waits for something else. Once in a process. */
  preload(needs: readonly Need[]): void;
  /** Aborts when the process is told to end and work in flight has had its grace. */
  shutdown: AbortSignal;
};

/** Parts that a test puts in place of the real ones. */
export type Parts = {
  clock?: Clock;
  database?: Database;
  auth?: Auth;
  gemini?: Gemini;
  painter?: Painter;
  imageStore?: ImageStore;
};

/** What takes long to load: each stands on a vendor's package. */
const modules = {
  database: () => import('./database/firestore.ts'),
  gemini: () => import('./imagegen/gemini.ts'),
  imageStore: () => import('./images/cloudinary.ts'),
};
export type Need = keyof typeof modules;

/** Makes something at its first use, and once. */
export const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
};

/** The studio of a configuration. */
export function createStudio(config: Config, log: Log, shutdown: AbortSignal, parts: Parts = {}): Studio {
  const { signupCredits, limits, generateTimeoutMs, holdGraceMs, modelIds } = config;
  const clock = parts.clock ?? systemClock;
  const models = modelIds.map((id) => imageModel(id, config.modelCostMicros[id]));
  const modelStates = new Map<string, QuotaState>();
  const preloaded = new Set<Need>();

  const gemini = once(async () => parts.gemini ?? (await modules.gemini()).createGemini(config));
  const books = once(async () => {
    const { openBooks } = await import('./ledger/ledger.ts');
    const database = parts.database ?? (await modules.database()).openDatabase(config);
    return openBooks(
      database,
      { signupCredits, limits, holdMs: generateTimeoutMs + holdGraceMs },
      log,
      clock,
    );
  });
  const quota = once(async () => {
    const { createQuota } = await import('./imagegen/quota.ts');
    return createQuota({ ...(await books()), clock, modelIds, known: modelStates });
  });

  return {
    config,
    log,
    clock,
    models,
    rateLimiter: createRateLimiter(clock.elapsed),
    shutdown,
    books,
    quota,
    modelStates,
    preload: (needs) => {
      const missing = needs.filter((need) => !(need in parts) && !preloaded.has(need));
      for (const need of missing) preloaded.add(need);
      void loadInTurn(missing).catch(() => {});
    },
    auth: once(async () => parts.auth ?? (await import('./auth.ts')).createAuth(config)),
    spend: once(async () => {
      const { createSpend } = await import('./imagegen/spendCeiling.ts');
      return createSpend({ ...(await books()), clock, ceilingMicros: config.maxSpendPerDayMicros });
    }),
    painter: once(async () => {
      if (parts.painter) return parts.painter;
      const { createChain } = await import('./imagegen/modelFallback.ts');
      const { retry } = config;
      return createChain({ gemini: await gemini(), quota: await quota(), models, retry, clock, log });
    }),
    enhancer: once(async () => {
      const { createEnhancer } = await import('./imagegen/enhance.ts');
      return createEnhancer(gemini, config.prompt, log);
    }),
    imageStore: once(async () => parts.imageStore ?? (await modules.imageStore()).createImageStore(config)),
  };
}

/** One after the other: in between whatever has come meanwhile is seen to, such as the keys that all wait for. */
async function loadInTurn(needs: readonly Need[]): Promise<void> {
  for (const need of needs) {
    await new Promise((resolve) => setImmediate(resolve));
    await modules[need]();
  }
}
