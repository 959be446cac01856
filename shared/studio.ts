/** What the functions share, each part made at its first use, so that a cold start pays only for what it needs. */
import type { Auth } from './auth.ts';
import { type Clock, systemClock } from './clock.ts';
import type { ImageStore } from './cloudinary.ts';
import type { Config } from './config.ts';
import type { Database } from './database.ts';
import type { Painter } from './gemini.ts';
import type { Books } from './ledger/books.ts';
import type { Log } from './log.ts';

export type Studio = {
  config: Config;
  log: Log;
  clock: Clock;
  auth(): Promise<Auth>;
  books(): Promise<Books>;
  painter(): Promise<Painter>;
  imageStore(): Promise<ImageStore>;
  /** Aborts when the process is told to end and work in flight has had its grace. */
  shutdown: AbortSignal;
};

/** Parts that a test puts in place of the real ones. */
export type Parts = {
  clock?: Clock;
  database?: Database;
  auth?: Auth;
  painter?: Painter;
  imageStore?: ImageStore;
};

/** Makes something at its first use, and once. */
export const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
};

/** The studio of a configuration. */
export function createStudio(config: Config, log: Log, shutdown: AbortSignal, parts: Parts = {}): Studio {
  const { signupCredits, limits, generateTimeoutMs, holdGraceMs } = config;
  const clock = parts.clock ?? systemClock;
  return {
    config,
    log,
    clock,
    shutdown,
    auth: once(async () => parts.auth ?? (await import('./auth.ts')).createAuth(config)),
    books: once(async () => {
      const { openBooks } = await import('./ledger/books.ts');
      const database = parts.database ?? (await import('./firestore.ts')).openDatabase(config);
      return openBooks(
        database,
        { signupCredits, limits, holdMs: generateTimeoutMs + holdGraceMs },
        log,
        clock,
      );
    }),
    painter: once(async () => parts.painter ?? (await import('./gemini.ts')).createPainter(config)),
    imageStore: once(
      async () => parts.imageStore ?? (await import('./cloudinary.ts')).createImageStore(config),
    ),
  };
}
