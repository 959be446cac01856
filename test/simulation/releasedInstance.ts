/**
 * An instance of the last release in a history. It has its own classes and symbols, and its own names for the parts that a
 * history puts in place of the real ones.
 */
import type { Config } from '../../shared/config/config.ts';
import { DeadlinePassed } from '../../shared/core/deadline.ts';
import { CommitRejected, type Database, removed, type Write } from '../../shared/database/database.ts';
import { Failure } from '../../shared/errors.ts';
import type { FunctionModule } from '../../shared/http/server.ts';
import type { Services } from '../../shared/services.ts';
import { createFaultyDatabase } from './faults.ts';
import {
  createActor,
  createClock,
  type Environment,
  type Instance,
  loadFunctions,
  trustingAuth,
} from './instance.ts';
import { createImageGenerator, createImageStore } from './upstreams.ts';

const lazyParts = ['books', 'auth', 'painter', 'imageStore', 'quota', 'spend'] as const;

/** What the build of a release exports. */
export type Release = {
  functions: Record<string, FunctionModule>;
  createStudio(
    config: Config,
    log: object,
    shutdown: AbortSignal,
    parts: object,
  ): Services & Record<(typeof lazyParts)[number], () => Promise<unknown>>;
  parseConfig(env: Record<string, string>): Config;
  CommitRejected: new (message: string) => Error;
  DeadlinePassed: new (message: string) => Error;
  Failure: new (reason: string, message: string, details: object) => Error;
  reasons: Record<string, unknown>;
  removed: symbol;
};

/** Starts an instance of the release and loads all of its functions. */
export async function startReleased(
  release: Release,
  environment: Environment,
  name: string,
): Promise<Instance> {
  const { world, faultRates, store, images, env } = environment;
  const actor = createActor(`${name} of the last release`);
  const end = new AbortController();

  /** The same error in the classes of the release. A reason that it does not know is one of its own. */
  function translate(error: unknown): unknown {
    if (error instanceof CommitRejected) return new release.CommitRejected(error.message);
    if (error instanceof DeadlinePassed) return new release.DeadlinePassed(error.message);
    if (!(error instanceof Failure)) return error;
    const reason = error.reason in release.reasons ? error.reason : 'PROVIDER_ERROR';
    const { metadata, retryAfterSeconds } = error.details;
    return new release.Failure(reason, error.message, {
      ...(metadata && { metadata }),
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    });
  }
  /** The same functions, which throw what the release knows. */
  const adapt = <T extends object>(part: T): T =>
    Object.fromEntries(
      Object.entries(part).map(([key, call]) => [
        key,
        (...args: unknown[]) =>
          Promise.resolve(call(...args)).catch((error) => {
            throw translate(error);
          }),
      ]),
    ) as T;

  const database = createFaultyDatabase(world, faultRates, store, actor);
  const generateImage = createImageGenerator(world, faultRates, actor);
  const { painter } = adapt({
    async painter(...args: Parameters<typeof generateImage>) {
      const { chunks, ...image } = await generateImage(...args);
      return { ...image, pieces: chunks };
    },
  });
  const toOwn = (write: Write): Write => {
    if (!('data' in write)) return write;
    const fields = Object.entries(write.data).map(([field, value]) => [
      field,
      value === release.removed ? removed : value,
    ]);
    return { ...write, data: Object.fromEntries(fields) };
  };
  const commit: Database['commit'] = (writes) => database.commit(writes.map(toOwn));
  const note = (message: string) =>
    world.happened(`log of the last release: ${message.replace(/^.*: /, '')}`);
  const services = release.createStudio(
    release.parseConfig({ GOOGLE_CLOUD_PROJECT: 'demo-history', ...env }),
    { info: () => {}, warning: note, error: note },
    end.signal,
    {
      clock: createClock(world, actor),
      database: adapt({ ...database, commit }),
      auth: adapt(trustingAuth),
      painter,
      imageStore: adapt(createImageStore(world, faultRates, actor, images)),
    },
  );
  // As the functions are, loaded before the first request.
  await Promise.all(lazyParts.map((part) => services[part]()));
  const { has, call, deliver } = await loadFunctions(release.functions, services);
  return {
    actor,
    has,
    async call(request) {
      const answer = await call(request);
      world.happened(`the last release answers ${request.name}`);
      return answer;
    },
    deliver,
    shutDown: () => end.abort(new release.Failure('SHUTTING_DOWN', 'The server is being replaced.', {})),
  };
}
