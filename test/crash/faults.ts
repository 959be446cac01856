/** Faults at the await points of a function: its calls to the database, the model and the image store. */
import { DeadlinePassed } from '../../shared/core/deadline.ts';
import { CommitRejected, type Database } from '../../shared/database/database.ts';
import type { GenerateImage } from '../../shared/imagegen/modelFallback.ts';
import type { ImageStore } from '../../shared/images/cloudinary.ts';

/** What happens to one call. */
export const faults = [
  /** The call rejects without an effect. */
  'throw',
  /** The process dies before the call: neither it nor anything after it happens. */
  'killed before',
  /** The process dies after the call took effect. */
  'killed after',
  /** The call stops until the deadline has passed and a sweep has run, and then goes on. */
  'hang past the deadline',
  'UNAVAILABLE before',
  /** The call took effect, but the caller gets UNAVAILABLE. */
  'UNAVAILABLE after',
  /** The call and the next four of its kind are rejected. */
  'ABORTED five times',
  /** The same request arrives again during the call. */
  'duplicate request',
  /** The connection is silent: the caller gives up, and the call takes effect only after everything else. */
  'silent, lands later',
] as const;
export type Fault = (typeof faults)[number];

export type Plan = {
  /** Which call, from 0. */
  at: number;
  fault: Fault;
  /** What happens elsewhere during the call. */
  meanwhile(): Promise<unknown>;
};

type Real = { database: Database; imageGenerator: GenerateImage; imageStore: ImageStore };

/** Wraps the real parts with a plan of faults. `calls` lists the names of the calls so far. */
export function createFaultyParts(real: Real) {
  const calls: string[] = [];
  let plan: Plan | undefined;
  let aborted: string | undefined;
  let abortsLeft = 0;
  let late: (() => Promise<unknown>)[] = [];

  async function pass<T>(name: string, work: () => Promise<T>): Promise<T> {
    const index = calls.push(name) - 1;
    if (abortsLeft > 0 && aborted === name) {
      abortsLeft -= 1;
      throw createAborted(name);
    }
    if (!plan || index !== plan.at) return work();
    switch (plan.fault) {
      case 'throw':
        await plan.meanwhile();
        throw new Error('A fault of the test');
      case 'killed before':
        await plan.meanwhile();
        return new Promise(() => {});
      case 'killed after':
        await Promise.allSettled([plan.meanwhile(), work()]);
        return new Promise(() => {});
      case 'hang past the deadline':
      case 'duplicate request':
        await plan.meanwhile();
        return work();
      case 'UNAVAILABLE before':
        await plan.meanwhile();
        throw createUnavailable();
      case 'UNAVAILABLE after':
        await Promise.allSettled([plan.meanwhile(), work()]);
        throw createUnavailable();
      case 'ABORTED five times':
        await plan.meanwhile();
        [aborted, abortsLeft] = [name, 4];
        throw createAborted(name);
      case 'silent, lands later':
        await plan.meanwhile();
        late.push(work);
        throw new DeadlinePassed(`${name} took too long`);
    }
  }

  const { database, imageGenerator, imageStore } = real;
  return {
    calls,
    /** Starts again, with another plan or without one. */
    begin(next?: Plan) {
      plan = next;
      abortsLeft = 0;
      calls.length = 0;
    },
    /** Lets the calls of silent connections take effect. */
    async land() {
      const landing = late;
      late = [];
      await Promise.allSettled(landing.map((work) => work()));
    },
    overrides: {
      database: {
        ...database,
        read: (paths) => pass('read', () => database.read(paths)),
        commit: (writes) => pass('commit', () => database.commit(writes)),
        page: (request) => pass('query', () => database.page(request)),
        totals: (path, requests) => pass('totals', () => database.totals(path, requests)),
      } satisfies Database,
      imageGenerator: ((request, ms, signal) =>
        pass('generate image', () => imageGenerator(request, ms, signal))) satisfies GenerateImage,
      imageStore: {
        ...imageStore,
        store: (publicId, chunks, ms, signal) =>
          pass('store', () => imageStore.store(publicId, chunks, ms, signal)),
        fetch: (url, ms, signal) => pass('fetch', () => imageStore.fetch(url, ms, signal)),
        fetchSmaller: (url, bytesMax, ms, signal) =>
          pass('fetch', () => imageStore.fetchSmaller(url, bytesMax, ms, signal)),
        destroy: (publicId, ms) => pass('destroy', () => imageStore.destroy(publicId, ms)),
      } satisfies ImageStore,
    },
  };
}

/** As Google's client reports it: google.rpc.Code 14. */
const createUnavailable = () => Object.assign(new Error('UNAVAILABLE'), { code: 14 });

/** ABORTED, as the database reports it: CommitRejected for a commit, a bare code for a read. */
const createAborted = (name: string) =>
  name === 'commit' ? new CommitRejected('ABORTED') : Object.assign(new Error('ABORTED'), { code: 10 });

/** The same database with a clock that is ahead by this many milliseconds. */
export function shiftClock(database: Database, milliseconds: number): Database {
  const later = (time: Date) => new Date(time.getTime() + milliseconds);
  return {
    ...database,
    async read(paths) {
      const { documents, readTime } = await database.read(paths);
      return { documents, readTime: later(readTime) };
    },
    async page(request) {
      const { documents, readTime } = await database.page(request);
      return { documents, readTime: later(readTime) };
    },
  };
}
